// A permissive mesh port in a process of its own, so that a test can take descriptors away from it. Prints its port, then each
// error of the port; echoes what comes.
// deno-lint-ignore-file no-console -- its output is how the test hears of it
import { listenMesh } from "../../../sidecar/net/mesh_tls.ts";
import { systemClock } from "../../../sidecar/lib/clock.ts";
import { TestAuthority } from "../../support/certificates.ts";
import { LOOPBACK, materialOf, meshIdentity } from "./tls.ts";

// Deno sets signals up when one is first listened to, and panics when it has no descriptors left for that.
Deno.addSignalListener("SIGUSR2", () => {});
const identity = meshIdentity(await materialOf(await TestAuthority.root("root"), "callee"));
const listener = await listenMesh(LOOPBACK, {
  identity,
  clock: systemClock,
  mode: "permissive",
  onConnection: async (transport) => {
    const buffer = new Uint8Array(100);
    try {
      for (let count; (count = await transport.read(buffer)) !== null;) {
        await transport.write(buffer.subarray(0, count));
      }
    } catch {
      // A client that resets is what the test is about, and unhandled it would end the process.
    } finally {
      transport.close();
    }
  },
  onRefused: () => {},
  onFailure: () => {},
  onError: (error) => console.log(`error ${error.message}`),
});
console.log(`port ${listener.address.port}`);
