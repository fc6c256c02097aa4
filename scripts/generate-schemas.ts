import { outdated, writeGenerated } from "./generate/generated-file.ts";
import { generatedFiles } from "./generate/generated-files.ts";
import { diskTree } from "./tree/tree.ts";

/** `npm run generate [-- --check]`: JSON Schemas and reference pages from the source they describe. */
const root = process.cwd();
const check = process.argv.includes("--check");
const tree = diskTree(root);
const wanted = await generatedFiles(tree);
const changed = outdated(tree, wanted);
for (const note of wanted.flatMap(({ notes = [] }) => notes)) console.log(note);

if (check) {
  for (const { path, text } of changed)
    console.error(`${text === undefined ? "left over" : "out of date"}: ${path}`);
  if (changed.length > 0) {
    console.error("Run `npm run generate` and commit what changed.");
    process.exitCode = 1;
  }
} else {
  writeGenerated(root, changed);
  for (const { path, text } of changed) console.log(`${text === undefined ? "removed" : "wrote"} ${path}`);
}
