// Judges pages with axe-core in jsdom, which lays nothing out: contrast is tested by tests/reporting/test_colours.py.
//     NODE_PATH=<where axe-core and jsdom are installed> node tools/axe.cjs PAGE...
// Exit code 0: no violations. 1: a page has some. 2: no page is named.
const { readFileSync } = require("node:fs");
const axe = require("axe-core");
const { JSDOM } = require("jsdom");

async function violations(file) {
  const { window } = new JSDOM(readFileSync(file, "utf-8"), { runScripts: "outside-only" });
  window.eval(axe.source);
  const off = { "color-contrast": { enabled: false } };
  const found = await window.axe.run(window.document, { rules: off });
  console.log(`${file}: ${found.passes.length} rules passed, ${found.violations.length} violated, ` +
    `${found.incomplete.length} incomplete (${found.incomplete.map((one) => one.id).join(", ")})`);
  for (const one of found.violations) {
    console.log(`  ${one.id} (${one.impact}): ${one.help}`);
    for (const node of one.nodes.slice(0, 3)) console.log(`    ${node.html.slice(0, 160)}`);
  }
  return found.violations.length;
}

async function main(files) {
  if (!files.length) return 2;
  let number = 0;
  for (const file of files) number += await violations(file);
  return number ? 1 : 0;
}

main(process.argv.slice(2)).then((code) => process.exit(code));
