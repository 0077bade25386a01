// Whether two settings say the same, whatever objects they are: what did not change keeps its identity from snapshot to snapshot.

/** Settings are plain data: objects, lists, Maps, text, numbers and flags. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || textOf(a) === textOf(b);
}

/** `previous` where `next` says the same. */
export function keepSame<T>(previous: T | undefined, next: T): T {
  return previous !== undefined && isSame(previous, next) ? previous : next;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => part instanceof Map ? [...part] : part) ?? "";
}
