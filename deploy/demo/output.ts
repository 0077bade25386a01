// What the person at the terminal reads: our own lines, and everybody's log with the name of whose it is in front.

const COLORS = [36, 33, 35, 32, 34, 91, 96] as const;
const RESET = "\x1b[0m";

/** Writes lines to stdout. When nobody reads them any more, `gone` resolves and the rest is thrown away. */
export class Output {
  readonly gone: Promise<void>;
  readonly #lose: () => void;
  readonly #encoder = new TextEncoder();
  readonly #colors = new Map<string, number>();
  readonly #isColored = Deno.stdout.isTerminal() && !Deno.noColor;
  #isGone = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#lose = resolve;
  }

  /** A line of the demo itself. */
  say(line: string): void {
    if (this.#isGone) return;
    let bytes = this.#encoder.encode(line + "\n");
    try {
      while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
    } catch {
      this.#isGone = true;
      this.#lose();
    }
  }

  /** A line of somebody's log; each name has its colour on a terminal. */
  log(name: string, line: string): void {
    const label = `${name.padEnd("payment-sidecar".length)} |`;
    this.say(
      this.#isColored ? `\x1b[${this.#colorOf(name)}m${label}${RESET} ${line}` : `${label} ${line}`,
    );
  }

  #colorOf(name: string): number {
    const color = this.#colors.get(name) ?? COLORS[this.#colors.size % COLORS.length]!;
    this.#colors.set(name, color);
    return color;
  }
}

/** The last lines of all logs, for when they turn out to be wanted. */
export class LogTail {
  readonly #lines: string[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  add(name: string, line: string): void {
    this.#lines.push(`${name} | ${line}`);
    if (this.#lines.length > this.#length) this.#lines.shift();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
