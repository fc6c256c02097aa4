declare module "opossum" {
  /** The part of opossum the bench uses; 10.0.0 comes without types. */
  export default class CircuitBreaker<Given extends unknown[] = never[], Result = unknown> {
    constructor(
      action: (...given: Given) => Promise<Result>,
      options: { timeout: number; errorThresholdPercentage: number; resetTimeout: number },
    );
    fire(...given: Given): Promise<Result>;
    shutdown(): void;
    readonly halfOpen: boolean;
    readonly pendingClose: boolean;
  }
}
