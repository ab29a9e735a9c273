/** A store that was read as a whole. */
export interface StoreCheck {
  /** Raw calls that are readable. */
  calls: number;
  /** Rows that were read: call blocks, commits that are in no block yet, rows of usage. */
  blocks: number;
  commits: number;
  usage: number;
  /** What is damaged: the row's name and how it was found. */
  damaged: string[];
}
