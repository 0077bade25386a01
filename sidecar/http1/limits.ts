// What one head may cost. The defaults stand in config/defaults.ts.
export interface HeadLimits {
  /** Start line and fields together. */
  readonly headBytes: number;
  /** Fields in one head or trailer section. */
  readonly headers: number;
  readonly requestLineBytes: number;
}
