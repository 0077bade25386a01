// An upstream connection as forwarding sees it, whatever version it speaks. Types only.
import type { ProxyError } from "../errors.ts";
import type { Interim, Request, Response } from "../http/message.ts";

export interface ClientConnection {
  /** It can take an exchange now. */
  readonly isUsable: boolean;
  /** The number that the next exchange will have on this connection. */
  readonly nextTurn: number;
  /**
   * Sends `request` and resolves with the head of its response; the request body goes on being sent meanwhile.
   * Whoever calls owns the response body and reads or cancels it. Throws ProxyError of side upstream.
   */
  send(request: Request, onInterim: (interim: Interim) => void): Promise<Response>;
  /** Cuts the exchange that was counted `turn`, if it is still under way: `send` and its body throw `reason`. */
  abortExchange(turn: number, reason: ProxyError): void;
}
