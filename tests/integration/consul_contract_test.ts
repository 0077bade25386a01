// The Registry contract against a real Consul: one agent a test.
import { isInstalled } from "../../deploy/servers.ts";
import { registryContract } from "../support/registry_contract.ts";
import { ConsulAgent } from "./support/consul.ts";
import { openRegistry } from "./support/consul_registry.ts";
import { Workspace } from "./support/workspace.ts";

if (isInstalled("consul")) {
  registryContract(
    "ConsulRegistry",
    async (instances) => {
      const workspace = new Workspace();
      const agent = await ConsulAgent.start(workspace);
      const open = () => openRegistry(workspace, { port: agent.port });
      const announcer = open();
      for (const instance of instances) await announcer.register(instance);
      return {
        open,
        async remove() {
          await announcer.close();
          await agent[Symbol.asyncDispose]();
          await workspace[Symbol.asyncDispose]();
        },
      };
    },
    { dynamic: true },
  );
}
