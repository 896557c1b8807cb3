// Opens pages in Chromium, has axe-core judge them in light and in dark, and takes screenshots at three widths and in print.
//     NODE_PATH=<where axe-core and puppeteer-core are installed> CHROMIUM=<its path> node tools/in_chromium.cjs OUT PAGE...
// Exit code 0: no violation, no console error, no request but the page, no sideways scrolling. 1: one of them. 2: no page.
const { mkdirSync } = require("node:fs");
const { basename, join, resolve } = require("node:path");
const { pathToFileURL } = require("node:url");
const axe = require("axe-core");
const puppeteer = require("puppeteer-core");

const WIDTHS = [360, 768, 1280];

async function opened(browser, file, scheme, width) {
  const page = await browser.newPage();
  const url = pathToFileURL(resolve(file)).href;
  const wrong = [];
  page.on("console", (said) => ["error", "warning"].includes(said.type()) && wrong.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (asked) => asked.url() !== url && wrong.push(`request: ${asked.url()}`));
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  const from = performance.now();
  await page.goto(url, { waitUntil: "load" });
  return { page, wrong, milliseconds: performance.now() - from };
}

async function judged(page, wrong) {
  await page.evaluate(axe.source); // by the debugger, which the page's policy does not forbid
  const found = await page.evaluate(() => window.axe.run(document));
  for (const one of found.violations) {
    wrong.push(`axe: ${one.id} (${one.impact}): ${one.help}: ${one.nodes[0].html.slice(0, 160)}`);
  }
  return found;
}

async function looked(browser, file, folder, scheme, width) {
  const { page, wrong, milliseconds } = await opened(browser, file, scheme, width);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) wrong.push(`the page is ${wide} px wider than the screen`);
  const name = `${basename(file, ".html")}-${scheme}-${width}`;
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  const found = await judged(page, wrong);
  console.log(`${name}: opened in ${milliseconds.toFixed(0)} ms, ${found.passes.length} rules passed, ` +
    `${found.violations.length} violated, ${found.incomplete.length} incomplete ` +
    `(${found.incomplete.map((one) => one.id).join(", ")})`);
  for (const one of wrong) console.log(`  ${one}`);
  await page.close();
  return wrong.length;
}

async function printed(browser, file, folder) {
  const { page, wrong } = await opened(browser, file, "light", 1280);
  const name = join(folder, `${basename(file, ".html")}-print`);
  await page.pdf({ path: `${name}.pdf`, format: "letter" });
  await page.setViewport({ width: 720, height: 960 }); // a page of letter paper within its margins
  await page.emulateMediaType("print");
  await page.screenshot({ path: `${name}.png`, fullPage: true });
  await page.close();
  return wrong.length;
}

async function main([folder, ...files]) {
  if (!files.length) return 2;
  mkdirSync(folder, { recursive: true });
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  let number = 0;
  for (const file of files) {
    for (const scheme of ["light", "dark"]) {
      for (const width of WIDTHS) number += await looked(browser, file, folder, scheme, width);
    }
    number += await printed(browser, file, folder);
  }
  await browser.close();
  return number ? 1 : 0;
}

main(process.argv.slice(2)).then((code) => process.exit(code));
