/** Turns texts into vectors whose dot product measures how similar their meanings are. */
export interface Embedder {
  /** Name of the model. Vectors of different models are never compared. */
  readonly name: string;
  readonly dimensions: number;
  /** SHA-256 of the model's tokenizer. Vectors of texts that were cut into tokens otherwise are never compared. */
  tokenizerSha256(): Promise<string>;
  /**
   * One vector of unit length per text, in order. Texts beyond the model's window are cut.
   * Rejects with the signal's reason when aborted.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}
