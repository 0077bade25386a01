// What the process says when it ends: sysexits(3), and the shell's own codes for commands and signals.

export const EXIT = {
  ok: 0,
  /** As diff(1): there is a difference. */
  different: 1,
  /** EX_USAGE: the command line. */
  usage: 64,
  /** EX_DATAERR: a document that `check` refused. */
  badData: 65,
  /** EX_NOINPUT: a file that cannot be read. */
  noInput: 66,
  /** EX_UNAVAILABLE: something outside is missing or taken, such as a port. */
  unavailable: 69,
  /** EX_SOFTWARE: a bug of ours. */
  internal: 70,
  /** EX_CANTCREAT: a file that cannot be written. */
  cannotCreate: 73,
  /** EX_TEMPFAIL: somebody else was quicker. */
  conflict: 75,
  /** EX_NOPERM: the binary was built without a permission. */
  noPermission: 77,
  /** EX_CONFIG: a document that `run` refused. */
  configuration: 78,
  /** As a shell: found, but cannot be executed. */
  notExecutable: 126,
  /** As a shell: not found. */
  notFound: 127,
} as const;

/** Signals that are listened to or passed on. */
export type Signal = "SIGHUP" | "SIGINT" | "SIGUSR1" | "SIGUSR2" | "SIGTERM";

const NUMBERS: Readonly<Record<Signal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
};

/** 128 + n, as a shell reports an end by signal n. */
export function signalExit(signal: Signal): number {
  return 128 + NUMBERS[signal];
}
