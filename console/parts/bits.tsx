import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatAge, formatInstant } from "../app/format.ts";
import { named, t } from "../app/language.ts";

export type Tone = "good" | "bad" | "warn" | "busy" | "mute";

const TONES: Readonly<Record<string, Tone>> = {
  accepted: "busy",
  running: "busy",
  queued: "busy",
  waiting: "warn",
  parked: "warn",
  succeeded: "good",
  completed: "good",
  passed: "good",
  delivered: "good",
  active: "good",
  in_force: "good",
  closed: "good",
  ok: "good",
  failed: "bad",
  firing: "bad",
  error: "bad",
  open: "bad",
  rejected: "bad",
  unreadable: "bad",
  disabled: "bad",
  half_open: "warn",
  pending: "warn",
  rotated: "warn",
  paused: "warn",
};

const SIGNS: Readonly<Record<Tone, string>> = { good: "✓", bad: "✗", warn: "!", busy: "●", mute: "–" };

/** A state as a word with a sign, so that it does not rest on its colour alone. */
export function State({ state, tone = TONES[state] ?? "mute" }: { state: string; tone?: Tone }) {
  return (
    <span class={`state ${tone}`}>
      <span class="sign" aria-hidden="true">
        {SIGNS[tone]}
      </span>
      {named("state", state)}
    </span>
  );
}

/** An instant as its age; the full date shows on hover and to machines. */
export function Age({ at }: { at: string | number }) {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((last) => last + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatInstant(at)}>
      {formatAge(at)}
    </time>
  );
}

export function PageHead({
  title,
  children,
  about,
}: {
  title: ComponentChildren;
  children?: ComponentChildren;
  about?: string;
}) {
  return (
    <header class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {about && <p class="quiet">{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </header>
  );
}

/** Names and values below each other. Facts that are undefined or null are left out. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A text with a button that copies it. */
export function Copied({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return (
    <span class="copied">
      <code>{text}</code>
      <button
        type="button"
        class="plain small"
        aria-label={t("common.copy", { what: label })}
        onClick={() => void copy()}
      >
        {done ? t("common.copied") : t("common.copy_short")}
      </button>
    </span>
  );
}

/** A labelled field of a form, with its hint tied to it. */
export function Field({
  label,
  hint,
  id,
  children,
}: {
  label: string;
  hint?: string;
  id: string;
  children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <p class="quiet" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
