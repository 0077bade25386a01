// What Consul's authority tells through an agent, in our own words. Types only.
import type { Indexed } from "./followed.ts";

export interface ConnectLeaf extends Indexed {
  /** The SPIFFE id in it. */
  readonly id: string;
  /** Leaf first, then intermediates. */
  readonly certificatePem: string;
  /** Secret. */
  readonly privateKeyPem: string;
}

export interface ConnectRoots extends Indexed {
  /** All that are trusted, the last one during a change too; one certificate each. */
  readonly trustPem: readonly string[];
}

/** The authority as an agent shows it. Methods answer as Ask in followed.ts says; errors name no secret. */
export interface ConnectAuthority {
  leaf(service: string, index: number, cut: AbortSignal): Promise<ConnectLeaf>;
  roots(index: number, cut: AbortSignal): Promise<ConnectRoots>;
  close(): void;
}
