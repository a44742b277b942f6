/** Counts of one partition, or of several together. All are rows but `ambiguous`, which counts primary keys. */
export interface Counts {
  readonly read: number;
  readonly superseded: number;
  readonly ambiguous: number;
  readonly quarantined: number;
  readonly published: number;
  /** Rows whose stored partition column differs from their folder's date. */
  readonly misfiled: number;
  /** Violations by gate name, in contract order, the reserved `primaryKey` first; gates with none are listed with 0. */
  readonly violations: Readonly<Record<string, number>>;
}
