import { exit } from "node:process";
import { DEFAULT_HTTP_PORT } from "./default-http-port.ts";
import { answerFailuresAsAws, type HttpServer } from "./http-failures.ts";
import { closeHttpGaps, type HapiServer } from "./http-gaps.ts";
import { type LocalStack, type Service, startLocalStack } from "./local-stack.ts";
import { stackLog } from "./stack-log.ts";

interface Serverless {
  service: Service & { custom?: { local?: object; "serverless-offline"?: object } };
  serviceDir: string;
  pluginManager: { plugins: (object | ServerlessOffline)[] };
}

interface ServerlessOffline {
  end(skip_exit?: boolean): Promise<void>;
  internals(): { getApiGatewayServer(): HttpServer & HapiServer };
}

interface Options {
  httpPort?: number | string;
}

/**
 * The serverless plugin that puts AWS around serverless-offline: emulators and resources before it
 * starts, event sources and schedules while it runs, and an orderly end.
 */
export class LocalStackPlugin {
  readonly hooks: Record<string, () => Promise<void>>;
  readonly serverless: Serverless;
  readonly options: Options;
  readonly log = stackLog();
  #stack: LocalStack | undefined;

  constructor(serverless: Serverless, options: Options) {
    this.serverless = serverless;
    this.options = options;
    this.hooks = {
      // `serverless offline` fires only the first, `serverless offline start` only the other two.
      "before:offline:start": () => this.#begin(),
      "before:offline:start:init": () => this.#begin(),
      "before:offline:start:end": () => this.#end(),
    };
  }

  async #begin(): Promise<void> {
    try {
      const http_port = Number(this.options.httpPort ?? process.env.PORT ?? DEFAULT_HTTP_PORT);
      this.#stack = await startLocalStack(this.serverless, http_port, this.log);
      const { custom = {} } = this.serverless.service;
      this.serverless.service.custom = custom;
      custom["serverless-offline"] = {
        ...custom["serverless-offline"],
        ...this.#stack.offline_options,
      };
      const offline = this.#serverlessOffline();
      this.#surviveStrayErrors();
      this.#endAround(offline);
      process.once("disconnect", () => exit(1)); // whoever started us is gone
      this.#stack.whenListening((ready) => {
        const server = offline.internals().getApiGatewayServer();
        answerFailuresAsAws(server);
        closeHttpGaps(server);
        process.send?.({ type: "ready", ...ready });
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!process.send) throw error;
      this.log.error("START_FAILED", message, { stack: error instanceof Error ? error.stack : undefined });
      // What was started already, the emulators' process among it, ends with this one.
      process.send({ type: "failed", message }, () => exit(1));
      await new Promise(() => {});
    }
  }

  #serverlessOffline(): ServerlessOffline {
    const offline = this.serverless.pluginManager.plugins.find(
      (plugin) => plugin.constructor.name === "ServerlessOffline",
    );
    if (!offline) throw new Error("The plugin serverless-offline must be listed in serverless.yml.");
    return offline as ServerlessOffline;
  }

  /** serverless-offline ends the process itself, after its servers: the stack must end around that. */
  #endAround(offline: ServerlessOffline): void {
    const end = offline.end.bind(offline);
    offline.end = async () => {
      await this.#stack?.stopInvoking();
      await end(true);
      await this.#end();
      exit(0);
    };
  }

  async #end(): Promise<void> {
    const stack = this.#stack;
    this.#stack = undefined;
    await stack?.stopInvoking();
    await stack?.close();
  }

  /** On AWS an error nobody awaits costs one execution environment; here it must not cost the stack. */
  #surviveStrayErrors(): void {
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => {
      this.log.error("STRAY_ERROR", "An error that no handler awaited; on AWS it ends the environment.", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
  }
}

// The framework requires a constructor; this is how a module answers `require` with one.
export { LocalStackPlugin as "module.exports" };
