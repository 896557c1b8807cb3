// Judges SARIF logs by the schema of npm's @microsoft/jest-sarif, with the options of its own validator.
//     NODE_PATH=<where it and ajv 6 are installed> node tools/sarif.cjs LOG...
// Exit code 0: every log is valid, and a log with a wrong level is not. 1: otherwise. 2: no log is named.
const { readFileSync } = require("node:fs");
const Ajv = require("ajv");

const ajv = new Ajv({ allErrors: true, schemaId: "auto", validateSchema: false });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"));
const valid = ajv.compile(require("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"));

function errors(file) {
  const log = JSON.parse(readFileSync(file, "utf-8"));
  const found = valid(log) ? [] : valid.errors;
  console.log(`${file}: ${log.runs[0].results.length} results, ${found.length} errors`);
  for (const one of found) console.log(`  ${one.dataPath}: ${one.message}`);
  log.runs[0].results[0].level = "fatal";
  if (valid(log)) throw new Error("the schema refuses nothing");
  return found.length;
}

const files = process.argv.slice(2);
process.exit(files.length ? (files.map(errors).some((number) => number) ? 1 : 0) : 2);
