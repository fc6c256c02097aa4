/** Turns texts into vectors whose dot product says how close their meanings are. */
export interface Embedder {
  /** Names the model; vectors of different names are never compared. */
  readonly name: string;
  readonly dimensions: number;
  /**
   * One vector of unit length per text, in order. Texts beyond the model's window are cut.
   * Rejects with the signal's reason when aborted.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}
