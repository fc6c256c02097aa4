/** How one chunk was found. Ranks count from 1. */
export interface Found {
  chunk: number;
  score: number;
  name?: string;
  words?: { rank: number; words: string[] };
  meaning?: { rank: number; cosine: number };
}
