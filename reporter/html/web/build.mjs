// Makes ../page.js, ../page.css and ../licences.txt from src/ and the pinned packages: `npm ci && npm run
// build`. They are kept in the repository, so that building leftover needs no node; a test makes them again
// and compares. With a folder as argument they go there instead.
import {readFileSync, readdirSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {build} from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? dirname(here);

const common = {absWorkingDir: here, bundle: true, minify: true, write: false, legalComments: "none"};
const script = await build({
  ...common,
  entryPoints: ["src/main.js"],
  format: "iife",
  target: ["es2020"],
  charset: "ascii",
  metafile: true,
  loader: {".css": "empty"},
});
const style = await build({...common, entryPoints: ["src/page.css"]});

// Whatever ended up in the script, with its licence.
const packages = new Set();
for (const input of Object.keys(script.metafile.inputs)) {
  const match = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (match) packages.add(match[1]);
}
let licences = "This report's script contains the following packages.\n";
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const {version, license} = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  licences += `\n${"=".repeat(78)}\n${name} ${version} (${license})\n\n`;
  licences += readFileSync(join(folder, file), "utf8").trimEnd() + "\n";
}

const texts = {"page.js": script.outputFiles[0].text, "page.css": style.outputFiles[0].text, "licences.txt": licences};
// They are put into a script element, a style element and a comment.
const forbidden = {"page.js": /<\/script|<!--/i, "page.css": /<\/style/i, "licences.txt": /--!?>/};
for (const [name, text] of Object.entries(texts)) {
  if (forbidden[name].test(text)) throw new Error(`${name} cannot be embedded: ${text.match(forbidden[name])[0]}`);
  writeFileSync(join(out, name), text);
}
