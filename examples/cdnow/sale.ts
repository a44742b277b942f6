/** One line of the original file, with the key that the original lacks. */
export interface Sale {
  /** `00002-19970112-2`: the second line of customer 00002 on 12 January 1997. */
  readonly transactionId: string;
  readonly customerId: string;
  readonly cds: number;
  /** As written, `77.00`: money never becomes a float. */
  readonly dollars: string;
}

/** A file as it arrives in the raw zone. */
export interface Delivery {
  readonly date: string;
  readonly file: string;
  /** `1997-01-02T06:00:00Z` */
  readonly arrivedAt: string;
  readonly sales: readonly Sale[];
}
