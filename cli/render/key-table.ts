import type { KeyList, KeyView, NewKey } from "#schemas/http/keys.ts";
import { formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

const NAME_CHARACTERS = 24;

/** A key just made: the one time it is shown. */
export function newKeyLines({ key, replaces, ...view }: NewKey, paint: Paint): string[] {
  return [
    key,
    "",
    paint.bold("Keep it now: it cannot be shown again."),
    ...keyLines(view, paint),
    ...(replaces === null
      ? []
      : [`It replaces ${replaces}, which works until its grace ends: agents keys list`]),
    `Use it: export AGENTS_KEY=…, or send authorization: Bearer …`,
  ];
}

/** One key on one line. */
export function keyLines(view: KeyView, paint: Paint): string[] {
  const end = view.revoked_at ?? view.valid_until;
  const until = view.revoked_at ? `since ${end}` : end ? `until ${end}` : "without end";
  return [
    `${sign(view, paint)} ${view.key_id}  ${view.state} ${until}  ${view.name}  ${view.scopes.join(",")}`,
  ];
}

/** One line a key, newest first. `now` in Unix ms. */
export function keyTable({ keys, next_cursor }: KeyList, paint: Paint, now: number): string[] {
  const more = next_cursor === null ? [] : [paint.dim(`More: agents keys list --cursor ${next_cursor}`)];
  if (keys.length === 0) return [paint.dim("No keys. Make one: agents keys create --help"), ...more];
  const lines = keys.map((key) => {
    const used = key.last_used_at ? `used ${formatAge(key.last_used_at, now)} ago` : "never used";
    const name = key.name.slice(0, NAME_CHARACTERS).padEnd(NAME_CHARACTERS);
    const end = (key.revoked_at ?? key.valid_until ?? "no end").slice(0, 16).padEnd(16);
    const scopes = key.scopes.join(",").padEnd(25);
    return `${sign(key, paint)} ${key.key_id}  ${key.state.padEnd(7)}  ${end}  ${name}  ${scopes}  ${used}`;
  });
  return [...lines, ...more];
}

function sign({ state }: KeyView, paint: Paint): string {
  if (state === "active") return paint.green("✓");
  return state === "rotated" ? paint.yellow("·") : paint.red("✗");
}

function formatAge(instant: string, now: number): string {
  return formatDuration(now - Date.parse(instant));
}
