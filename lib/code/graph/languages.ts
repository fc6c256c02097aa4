import { basename, extname } from "node:path/posix";

/** Extensions whose text is indexed, and the language's name in reports. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ".js": "javascript",
  ".mjs": "javascript",
  ".cjs": "javascript",
  ".jsx": "javascript",
  ".ts": "typescript",
  ".mts": "typescript",
  ".cts": "typescript",
  ".tsx": "tsx",
  ".md": "markdown",
  ".markdown": "markdown",
  ".py": "python",
  ".go": "go",
  ".rs": "rust",
  ".java": "java",
  ".kt": "kotlin",
  ".rb": "ruby",
  ".php": "php",
  ".c": "c",
  ".h": "c",
  ".cc": "cpp",
  ".cpp": "cpp",
  ".hpp": "cpp",
  ".cs": "csharp",
  ".swift": "swift",
  ".scala": "scala",
  ".sh": "shell",
  ".sql": "sql",
  ".css": "css",
  ".html": "html",
  ".vue": "vue",
  ".svelte": "svelte",
  ".json": "json",
  ".yaml": "yaml",
  ".yml": "yaml",
  ".toml": "toml",
  ".xml": "xml",
  ".proto": "protobuf",
  ".graphql": "graphql",
};

/** The language a path's ending speaks of; `text` for any other. */
export function languageOf(path: string): string {
  if (basename(path) === "Dockerfile") return "dockerfile";
  return LANGUAGES[extname(path).toLowerCase()] ?? "text";
}

/** Languages whose symbols are read; the others are indexed by parts of the file. */
export function hasSymbols(language: string): boolean {
  return language === "javascript" || language === "typescript" || language === "tsx";
}
