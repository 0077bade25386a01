// The JSON answers of the demo services, and the one error that carries such an answer up from wherever it was decided.

import type { FieldProblems } from "./fields.ts";

interface AnswerOptions {
  readonly fields?: FieldProblems;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown to end a request early with this status; its text is shown to the caller, so it holds no secret. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly options: AnswerOptions;

  constructor(status: number, message: string, options: AnswerOptions = {}) {
    super(message);
    this.status = status;
    this.options = options;
  }
}

/** Answers with a JSON body; `content-type` is exactly `application/json`. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers });
}

/** The one shape of an error: `{"error": "...", "fields"?: {...}}`. */
export function errorAnswer(status: number, error: string, options: AnswerOptions = {}): Response {
  const body = options.fields === undefined ? { error } : { error, fields: options.fields };
  return json(status, body, options.headers);
}
