import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { cacheDirectory } from "./cache-directory.ts";
import type { Tool } from "./part.ts";

export interface MavenLibraries {
  /** Of the directory in the cache, such as `neo4j`. */
  name: string;
  /** How messages call it, such as `Neo4j 5.26.30`. */
  title: string;
  /** `group:artifact:version`; what these need at run time comes with them. */
  coordinates: readonly string[];
  /** What `digestOf` gives for the directory: it fixes every library, also those that only come with others. */
  sha256: string;
}

export const MAVEN_TOOLS: readonly Tool[] = [
  {
    command: "java",
    version_arguments: ["-version"],
    version_minimum: [17, 0],
    install_hint: "apt-get install openjdk-17-jre-headless",
  },
  {
    command: "mvn",
    version_arguments: ["-version"],
    version_minimum: [3, 6],
    install_hint: "apt-get install maven",
  },
];

const COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const MAVEN_MS_MAX = 15 * 60_000;
const OUTPUT_CHARACTERS_MAX = 20_000;
const LAST_CHARACTERS_MAX = 400;

/**
 * A directory with the jars, from Maven's repositories as this machine's Maven is set up, each against
 * its published checksum. Shows up whole or not at all; a second call finds it there.
 *
 * @throws with one sentence that says what to do.
 */
export async function mavenLibraries(
  libraries: MavenLibraries,
  progress: (line: string) => void,
): Promise<string> {
  const { name, title, sha256 } = libraries;
  const home = cacheDirectory("maven");
  const directory = join(home, `${name}-${sha256.slice(0, 16)}`);
  if (await isDirectory(directory)) return directory;
  progress(`${title}: Maven fetches its libraries, once`);
  const making = await mkdtemp(join(home, `${name}-partial-`));
  try {
    await writeFile(join(making, "pom.xml"), projectOf(libraries));
    await runMaven(libraries, making);
    const jars = join(making, "jars");
    const found = await digestOf(jars);
    if (found !== sha256) {
      throw new Error(
        `${title}: Maven gave other libraries (${found}) than this was tested with (${sha256}); ` +
          `look for a mirror or a dependency of its own in Maven's settings.xml.`,
      );
    }
    await rename(jars, directory).catch(async (error: unknown) => {
      if (!(await isDirectory(directory))) throw error; // else another process was faster
    });
    return directory;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** SHA-256 over the sorted lines `<sha256>  <file>`, as `sha256sum * | sort -k 2 | sha256sum` gives it. */
export async function digestOf(directory: string): Promise<string> {
  const all = createHash("sha256");
  const files = await readdir(directory);
  for (const file of files.sort((a, b) => (a < b ? -1 : 1))) {
    const one = createHash("sha256");
    await pipeline(createReadStream(join(directory, file)), one);
    all.update(`${one.digest("hex")}  ${file}\n`);
  }
  return all.digest("hex");
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function projectOf({ name, coordinates }: MavenLibraries): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join("\n")}
</dependencies>
</project>
`;
}

/** `-C` (strict checksums) fails on a download that differs from what was published with it. */
async function runMaven({ title }: MavenLibraries, directory: string): Promise<void> {
  const child = spawnProgram(
    "mvn",
    ["-B", "-q", "-C", "-ntp", COPY_DEPENDENCIES, "-DincludeScope=runtime", "-DoutputDirectory=jars"],
    { cwd: directory, stdio: ["ignore", "pipe", "pipe"], timeout: MAVEN_MS_MAX },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      said = (said + chunk).slice(-OUTPUT_CHARACTERS_MAX);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`${title}: mvn is missing: install Maven (apt-get install maven).`, { cause: error });
  });
  if (code !== 0) throw new Error(`${title}: Maven could not fetch it (exit ${code}). ${firstError(said)}`);
}

function firstError(said: string): string {
  const line = said.split("\n").find((text) => text.includes("ERROR")) ?? said.trim().split("\n").at(-1);
  return (line ?? "").slice(0, LAST_CHARACTERS_MAX);
}
