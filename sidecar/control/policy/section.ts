// The policy that stands in the bootstrap document itself: reported once, never changes.
import type { Policy } from "../../config/bootstrap.ts";
import type { PolicyListener, PolicySource } from "./source.ts";

const REVISION = "bootstrap";

/** Its document was validated with the bootstrap, so it never has a problem. */
export class SectionPolicySource implements PolicySource {
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  start(listener: PolicyListener): Promise<void> {
    listener.update({ revision: REVISION, policy: this.#policy });
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
