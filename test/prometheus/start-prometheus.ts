import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { startServer } from "../../local/host/start-server.ts";
import { anyFreePort } from "../../local/ports.ts";

/** One series of an answer. */
interface Value {
  metric: Record<string, string>;
  value: [number, string];
}

export interface FiringAlert {
  rule: string;
  labels: Record<string, string>;
}

export interface PrometheusServer {
  /** The series of an instant query, each with its value. Throws what Prometheus says of a wrong query. */
  query(expression: string): Promise<{ labels: Record<string, string>; value: number }[]>;
  /** The labels that rules give every alert are left out. */
  firing(): Promise<FiringAlert[]>;
  stop(): Promise<void>;
}

/** A real Prometheus that scrapes the stack every second, and evaluates these rules as often. */
export async function startPrometheus(options: {
  directory: string;
  stack_url: string;
  key: string;
  rules: string;
}): Promise<PrometheusServer> {
  const { directory, stack_url, key, rules } = options;
  const file = (name: string) => join(directory, name);
  writeFileSync(file("agents.key"), key, { mode: 0o600 });
  writeFileSync(file("rules.yml"), rules);
  const scrape = {
    job_name: "agents",
    metrics_path: "/api/metrics",
    scrape_interval: "1s",
    authorization: { credentials_file: file("agents.key") },
    static_configs: [{ targets: [new URL(stack_url).host] }],
  };
  const global = { evaluation_interval: "1s" };
  writeFileSync(
    file("prometheus.yml"),
    stringify({ global, rule_files: [file("rules.yml")], scrape_configs: [scrape] }),
  );
  const port = await anyFreePort();
  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startServer(
    {
      title: "Prometheus",
      command: "prometheus",
      arguments: [
        `--config.file=${file("prometheus.yml")}`,
        `--storage.tsdb.path=${file("data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      environment: {},
      isReady: async () => (await fetch(`${url}/-/ready`)).ok,
      ready_seconds_max: 60,
      stop_seconds_max: 20,
    },
    { port, data_directory: directory, log_file: file("prometheus.log") },
  );
  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = (await (await fetch(`${url}${path}`)).json()) as { data: Data; error?: string };
    if (answer.error !== undefined) throw new Error(`Prometheus refused ${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    async query(expression) {
      const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { result } = await ask<{ result: Value[] }>(path);
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async firing() {
      const { alerts } = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>(
        "/api/v1/alerts",
      );
      return alerts
        .filter(({ state }) => state === "firing")
        .map(({ labels: { alertname = "", severity: _, group: __, ...labels } }) => ({
          rule: alertname,
          labels,
        }));
    },
    stop,
  };
}
