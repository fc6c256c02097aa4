declare module "dynalite" {
  import type { Server } from "node:http";
  export default function dynalite(options: {
    path?: string;
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
}

declare module "serverless-offline/lambda" {
  export interface LambdaFunction {
    setEvent(event: unknown): void;
    setClientContext(context: unknown): void;
    runHandler(): Promise<unknown>;
  }
  export default class Lambda {
    get(functionKey: string): LambdaFunction;
    start(): Promise<void>;
  }
}
