import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { FormRun } from "./comparison.ts";

const DIRECTORY = join(import.meta.dirname, "fixtures");
const INDEX = join(DIRECTORY, "index.json");

const Recorded = z.strictObject({
  runner: z.string(),
  version: z.string(),
  project: z.string(),
  form: z.string(),
  stdout: z.string(),
  stderr: z.string().nullable(),
  files: z.array(z.strictObject({ path: z.string(), fixture: z.string() })),
  own: z.strictObject({ passed: z.int(), failed: z.int(), skipped: z.int() }).nullable(),
});
type Recorded = z.infer<typeof Recorded>;

/** The forms that were recorded from real runs of the runners, each with the version that wrote it. */
export async function readRecorded(): Promise<FormRun[]> {
  const index = await readIndex();
  return Promise.all(
    index.map(async ({ stdout, stderr, files, ...run }) => ({
      ...run,
      stdout: await readFixture(stdout),
      stderr: stderr === null ? "" : await readFixture(stderr),
      files: await Promise.all(
        files.map(async ({ path, fixture }) => ({ path, text: await readFixture(fixture) })),
      ),
    })),
  );
}

/** Writes runs down in place of those recorded before of the same runner, package and form. */
export async function writeRecorded(runs: readonly FormRun[]): Promise<void> {
  const index = await readIndex();
  for (const { stdout, stderr, files, ...run } of runs) {
    const name = [run.runner, run.project, run.form].map(slug).join("/");
    const recorded: Recorded = {
      ...run,
      stdout: await writeFixture(`${name}.txt`, stdout),
      stderr: stderr === "" ? null : await writeFixture(`${name}.stderr.txt`, stderr),
      files: await Promise.all(
        files.map(async ({ path, text }) => ({
          path,
          fixture: await writeFixture(`${name}.${slug(path)}`, withoutMachine(text)),
        })),
      ),
    };
    const same = index.findIndex(
      (each) => each.runner === run.runner && each.project === run.project && each.form === run.form,
    );
    index.splice(same < 0 ? index.length : same, same < 0 ? 0 : 1, recorded);
  }
  await writeFile(INDEX, `${JSON.stringify(index, null, 2)}\n`);
}

async function readIndex(): Promise<Recorded[]> {
  const text = await readFile(INDEX, "utf8").catch(() => "[]");
  return z.array(Recorded).parse(JSON.parse(text));
}

function readFixture(name: string): Promise<string> {
  return readFile(join(DIRECTORY, name), "utf8");
}

async function writeFixture(name: string, text: string): Promise<string> {
  await mkdir(dirname(join(DIRECTORY, name)), { recursive: true });
  await writeFile(join(DIRECTORY, name), text);
  return name;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** Surefire writes down every property of the machine: none of it is about tests. */
function withoutMachine(text: string): string {
  return text
    .replace(/ *<properties>[\s\S]*?<\/properties>\n?/g, "")
    .replace(/hostname="[^"]*"/g, 'hostname="sandbox"');
}
