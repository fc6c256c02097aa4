import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alertSinks } from "#lib/platform/settings/environment.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import { OutboundConfig } from "#schemas/config/outbound.ts";
import type { GateOutcome } from "./gates/gate-message.ts";
import { sendGate } from "./gates/send-gate.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run -s gate:notify -- --name <gate> --passed|--failed [--link <url>] [--sink <name>]

Sends a gate's result to the sinks of configs/alerts.json; their URLs are in ALERT_SINKS. A failure goes to the sinks that take
"critical", a success to those that take "info".

  --name <gate>   what the gate is called, such as gate:local
  --passed        it passed
  --failed        it failed
  --link <url>    where its output is, over http or https
  --sink <name>   to this sink only, whatever it takes

Exit codes: 0 every sink took it, or none wants it; 1 a sink did not take it; 2 wrong options or configuration.`;

function wrong(sentence: string): never {
  console.error(`gate:notify: ${sentence}\n\n${HELP}`);
  process.exit(2);
}

const options = readOptions(HELP, {
  name: { type: "string" },
  passed: { type: "boolean" },
  failed: { type: "boolean" },
  link: { type: "string" },
  sink: { type: "string" },
});

function outcomeOf({ name, passed, failed, link }: typeof options): GateOutcome {
  if (name === undefined || !/^\P{Cc}{1,100}$/u.test(name))
    wrong("--name is missing, or is not 1 to 100 characters");
  if ((passed === true) === (failed === true)) wrong("say either --passed or --failed");
  if (link !== undefined && !/^https?:$/.test(URL.parse(link)?.protocol ?? ""))
    wrong(`--link is no URL: ${link}`);
  return { name, passed: passed === true, link };
}

function read<Value>(name: string, schema: { parse(value: unknown): Value }): Value {
  const file = join(process.env.CONFIG_DIRECTORY ?? "configs", name);
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    return wrong(`${file} is not valid: ${(error as Error).message.split("\n")[0]}`);
  }
}

function addressesOf() {
  try {
    return alertSinks();
  } catch (error) {
    return wrong((error as Error).message);
  }
}

const outcome = outcomeOf(options);
const { sinks } = read("alerts.json", AlertsConfig);
const outbound = read("outbound.json", OutboundConfig);
const addresses = addressesOf();
if (options.sink !== undefined && !Object.hasOwn(sinks, options.sink))
  wrong(`configs/alerts.json has no sink ${options.sink}`);
const severity = outcome.passed ? "info" : "critical";
const targets = Object.entries(sinks).filter(([name, { severities }]) =>
  options.sink === undefined ? severities.includes(severity) : name === options.sink,
);
if (targets.length === 0)
  console.log(`gate:notify: no sink of configs/alerts.json takes ${severity}: nobody is told`);
const id = `gate_${randomUUID()}`;
const refusals = await Promise.all(
  targets.map(([name, sink]) =>
    sendGate(outcome, { name, sink, address: addresses[name] }, { outbound, now: Date.now, id }),
  ),
);
for (const [index, [name]] of targets.entries()) {
  if (refusals[index] === undefined)
    console.log(
      `gate:notify: sink ${name} was told that ${outcome.name} ${outcome.passed ? "passed" : "failed"}`,
    );
  else console.error(`gate:notify: ${refusals[index]}`);
}
process.exitCode = refusals.some((refusal) => refusal !== undefined) ? 1 : 0;
