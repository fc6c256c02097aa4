import { FLAG_CLASSES, type FlagClass } from "#schemas/flags.ts";

/** Forms of paths, in small letters, at any depth: the root of the source may lie below that of its repository. */
const PATHS: readonly [FlagClass, RegExp][] = [
  [
    "ci",
    /(?:^|\/)(?:\.github|\.gitlab|\.gitea|\.forgejo|\.circleci|\.ci|\.buildkite|\.woodpecker|\.teamcity|\.azure-pipelines|\.semaphore)(?:\/|$)/,
  ],
  [
    "ci",
    /(?:^|\/)(?:\.gitlab-ci|\.travis|\.drone|\.woodpecker|\.?appveyor|azure-pipelines|bitbucket-pipelines|cloudbuild|buildspec|codefresh|wercker|\.cirrus)\.ya?ml$/,
  ],
  ["ci", /(?:^|\/)jenkinsfile(?:\.[^/]*)?$/],
  [
    "lockfile",
    /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|cargo\.lock|poetry\.lock|uv\.lock|pdm\.lock|pixi\.lock|pipfile\.lock|pylock(?:\.[^/]+)?\.toml|composer\.lock|gemfile\.lock|gems\.locked|go\.(?:sum|work\.sum)|gradle\.lockfile|packages\.lock\.json|mix\.lock|flake\.lock|podfile\.lock|package\.resolved|pubspec\.lock|conan\.lock|rebar\.lock|\.terraform\.lock\.hcl)$/,
  ],
  [
    "package_manager",
    /(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|pnpm-workspace\.yaml|bunfig\.toml|pip\.conf|\.pypirc|\.gemrc|nuget\.config)$/,
  ],
  ["package_manager", /(?:^|\/)(?:\.yarn|\.cargo|\.bundle|\.mvn)(?:\/|$)/],
  ["git_hooks", /(?:^|\/)(?:\.husky|\.githooks|\.git-hooks|\.lefthook)(?:\/|$)/],
  [
    "git_hooks",
    /(?:^|\/)(?:\.?lefthook(?:-local)?\.(?:ya?ml|toml|json)|\.pre-commit-config\.ya?ml|\.pre-commit-hooks\.ya?ml|\.huskyrc(?:\.[^/]+)?|husky\.config\.[cm]?js|\.?simple-git-hooks\.(?:c?js|json)|\.?lint-?staged(?:rc|\.config)(?:\.[^/]+)?|\.gitattributes|\.gitmodules|\.overcommit\.yml)$/,
  ],
  ["workspace", /(?:^|\/)(?:\.vscode|\.idea|\.devcontainer|\.fleet|\.zed)(?:\/|$)/],
  [
    "workspace",
    /(?:^|\/)(?:\.devcontainer\.json|\.envrc|\.gitpod\.yml|mise\.toml|\.mise\.toml|[^/]+\.code-workspace)$/,
  ],
];
/** What a flagged file is, in words. */
export const FLAG_REASONS: Readonly<Record<FlagClass, string>> = {
  ci: "it configures CI",
  lockfile: "it is a lock file",
  package_scripts: "it changes scripts that package managers run",
  package_manager: "it configures the package manager",
  git_hooks: "it is a git hook, or decides what git runs",
  workspace: "it runs when an editor or a shell opens the directory",
};
const MANIFEST = /(?:^|\/)package\.json$/;

/** The flags that are not allowed. */
export function flagsBut(allowed: readonly FlagClass[]): FlagClass[] {
  return FLAG_CLASSES.filter((flag) => !allowed.includes(flag));
}

/** A file as a change found it or leaves it: bytes of a file, `link` for a symbolic link, undefined for none. */
export type FileContent = Uint8Array | "link" | undefined;

/** The kind of flagged files that a path belongs to by its name; undefined for none. `package.json` is judged by its content. */
export function flagOfPath(path: string): FlagClass | undefined {
  const plain = path.toLowerCase().normalize("NFC");
  return PATHS.find(([, form]) => form.test(plain))?.[0];
}

/** Whether changes of a file must be judged by its content. */
export function isManifest(path: string): boolean {
  return MANIFEST.test(path.toLowerCase());
}

/** Why a reviewer must look at a change of this file; undefined when it is as any other. */
export function flagOfChange(path: string, before: FileContent, after: FileContent): FlagClass | undefined {
  const by_path = flagOfPath(path);
  if (by_path !== undefined || !isManifest(path)) return by_path;
  return FIELDS.find(([, names]) => fieldsOf(before, names) !== fieldsOf(after, names))?.[0];
}

/** Fields of package.json that run something: https://docs.npmjs.com/cli/using-npm/scripts, and of tools that set git hooks. */
const FIELDS: readonly [FlagClass, readonly string[]][] = [
  ["package_scripts", ["scripts", "gypfile"]],
  ["git_hooks", ["husky", "simple-git-hooks", "lint-staged", "pre-commit", "pre-push", "gitHooks"]],
];
const MANIFEST_BYTES_MAX = 1024 * 1024;

/** The fields as one text. A manifest that cannot be read counts as its bytes. */
function fieldsOf(content: FileContent, names: readonly string[]): string {
  if (content === undefined) return "{}";
  if (content === "link" || content.length > MANIFEST_BYTES_MAX) return "unknown";
  const text = Buffer.from(content)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  try {
    const manifest: unknown = JSON.parse(text);
    if (typeof manifest !== "object" || manifest === null) return "{}";
    const found = names.filter((name) => Object.hasOwn(manifest, name));
    return JSON.stringify(Object.fromEntries(found.map((name) => [name, sorted(manifest, name)])));
  } catch {
    return text;
  }
}

function sorted(manifest: object, name: string): unknown {
  const value = (manifest as Record<string, unknown>)[name];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
}
