import { existsSync, lstatSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { trackedPaths } from "./git-index.ts";
import { isIgnored, type RuleFile, readRules } from "./ignore-rules.ts";

interface Repository {
  /** Where the work tree begins. */
  root: string;
  /** What git calls $GIT_DIR, and what several work trees share of it. */
  git_directory: string;
  common_directory: string;
}

interface Place {
  directory: string;
  /** Below the root, with slashes; empty for the root. */
  path: string;
  rules: readonly RuleFile[];
  /** Only what is tracked counts here. */
  ignored: boolean;
}

/**
 * The files below a directory that git would look at, tracked or neither tracked nor ignored, relative to it;
 * undefined outside a repository, and where there are none. More than `files_max` are not looked for.
 *
 * Git is not asked: in a directory that somebody else has made, its configuration names programs that git runs
 * for almost any command (core.fsmonitor, core.sshCommand, filters, hooks, partial clones). Nothing here follows
 * a link or leaves the directory, whatever the index says.
 *
 * @throws UsageError when the index or a file of rules cannot be read
 */
export async function listWorkTree(directory: string, files_max: number): Promise<string[] | undefined> {
  const repository = findRepository(directory);
  if (repository === undefined) return undefined;
  const { root, git_directory, common_directory } = repository;
  const tracked = trackedPaths(join(git_directory, "index"));
  const parents = parentsOf(tracked);
  const shared = [...globalRules(), readRules(join(common_directory, "info", "exclude"), "")];
  const found: string[] = [];
  const waiting = [placeOf(root, directory, shared)];
  for (let place = waiting.pop(); place !== undefined && found.length <= files_max; place = waiting.pop()) {
    const rules = [...place.rules, readRules(join(place.directory, ".gitignore"), place.path)];
    for (const entry of await readdir(place.directory, { withFileTypes: true })) {
      if (entry.name === ".git") continue;
      const path = place.path === "" ? entry.name : `${place.path}/${entry.name}`;
      const file = join(place.directory, entry.name);
      const ignored = place.ignored || isIgnored(rules, path, entry.isDirectory());
      if (!entry.isDirectory()) {
        if (!ignored || tracked.has(path)) found.push(relative(directory, file));
      } else if ((!ignored || parents.has(path)) && !existsSync(join(file, ".git"))) {
        waiting.push({ directory: file, path, rules, ignored });
      }
    }
  }
  return found.length > 0 ? found : undefined;
}

/** The nearest repository upwards. Neither the environment nor its configuration can move it. */
function findRepository(from: string): Repository | undefined {
  for (let root = from; ; root = dirname(root)) {
    const git_directory = gitDirectory(join(root, ".git"));
    if (git_directory !== undefined && existsSync(join(git_directory, "HEAD"))) {
      const common = firstLine(join(git_directory, "commondir"));
      const common_directory = common === undefined ? git_directory : resolve(git_directory, common);
      return { root, git_directory, common_directory };
    }
    if (root === dirname(root)) return undefined;
  }
}

/** `.git` is a directory, or in a submodule or a further work tree a file that names one. */
function gitDirectory(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory()) return stats && path;
  const named = /^gitdir: (.+)$/.exec(firstLine(path) ?? "")?.[1];
  return named === undefined ? undefined : resolve(dirname(path), named);
}

function firstLine(file: string): string | undefined {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  return readFileSync(file, "utf8").split("\n")[0]?.trim();
}

/** Where the walk begins, with the rules of the directories above it. */
function placeOf(root: string, directory: string, shared: readonly RuleFile[]): Place {
  let place: Place = { directory: root, path: "", rules: shared, ignored: false };
  for (const name of relative(root, directory)
    .split(sep)
    .filter((part) => part !== "")) {
    const rules = [...place.rules, readRules(join(place.directory, ".gitignore"), place.path)];
    const path = place.path === "" ? name : `${place.path}/${name}`;
    const ignored = place.ignored || isIgnored(rules, path, true);
    place = { directory: join(place.directory, name), path, rules, ignored };
  }
  return place;
}

function parentsOf(paths: Set<string>): Set<string> {
  const parents = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  }
  return parents;
}

/** The rules of the person at the keyboard: `core.excludesFile` of their own configuration, or its default. */
function globalRules(): RuleFile[] {
  const settings = process.env.XDG_CONFIG_HOME || join(homedir(), ".config");
  const configured = [join(homedir(), ".gitconfig"), join(settings, "git", "config")]
    .map(excludesFile)
    .find((file) => file !== undefined);
  return [readRules(configured ?? join(settings, "git", "ignore"), "")];
}

function excludesFile(config_file: string): string | undefined {
  if (!existsSync(config_file)) return undefined;
  let section = "";
  let value: string | undefined;
  for (const line of readFileSync(config_file, "utf8").split("\n")) {
    section = /^\s*\[\s*([^\]\s]+)/.exec(line)?.[1]?.toLowerCase() ?? section;
    const named = section === "core" && /^(?:\s*\[[^\]]*\])?\s*excludesfile\s*=\s*"?([^"#;]+)/i.exec(line);
    if (named) value = named[1]?.trim();
  }
  return value?.replace(/^~(?=\/)/, homedir());
}
