// What we use of the npm package `consul`; its own types miss half of the options and answer `any`. Types only.
import type { EventEmitter } from "node:events";

/** Where and how the package connects. */
export interface PackageOptions {
  readonly host?: string;
  readonly port?: number;
  readonly secure?: boolean;
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What each request takes besides its own options. */
export interface CallOptions {
  /** Emitting `cancel` ends the request; `includeResponse` hands out the response beside the body. */
  readonly ctx: EventEmitter & { readonly includeResponse: true };
  readonly token?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface PackageResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed where it was JSON. */
  readonly body: unknown;
}

export type PackageAnswer = readonly [response: PackageResponse, body: unknown];

/** What a raw request takes. */
export interface RawRequest {
  /** With `{name}` where a parameter goes. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly ctx: CallOptions["ctx"];
  readonly timeout: number;
}

/** A client of the package. Its methods reject with errors that hold the request, tokens included. */
export interface ConsulPackage {
  readonly health: { service(options: Readonly<Record<string, unknown>>): Promise<PackageAnswer> };
  readonly agent: {
    readonly service: {
      register(options: Readonly<Record<string, unknown>>): Promise<unknown>;
      deregister(options: CallOptions & { readonly id: string }): Promise<unknown>;
    };
    readonly check: {
      pass(options: CallOptions & { readonly id: string }): Promise<unknown>;
    };
  };
  readonly status: { leader(options: CallOptions): Promise<PackageAnswer> };
  /** One request by the package's own transport. */
  _get(request: RawRequest): Promise<PackageResponse>;
  /** Closes idle connections. */
  destroy(): void;
}
