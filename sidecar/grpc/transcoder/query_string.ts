// A query string as names and values (URL standard, application/x-www-form-urlencoded), strict about its escapes.

/** In order; null where something is not encoded right. */
export function parseQuery(query: string): (readonly [name: string, value: string])[] | null {
  const parameters: [string, string][] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decode(part.slice(equals + 1));
    if (name === null || value === null) return null;
    parameters.push([name, value]);
  }
  return parameters;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
