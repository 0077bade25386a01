// `sidecar drain`: the maintenance switch of a running sidecar.
import { ADMIN_OPTIONS, adminUrl, withAnswer } from "./admin_port.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";

const HELP = `Usage: sidecar drain [--undo] [--admin HOST:PORT]

Takes a running instance out of the registry and keeps it out; /health and /ready of its health port say 503. It goes on
with the calls that still come, and nothing is stopped. A restart forgets it.

Options:
  --undo             let it in again
  --admin HOST:PORT  its admin port; default 127.0.0.1:15000
  -h, --help         print this

Exit codes: 0 done, 69 nobody answers there, or there is no app beside it.

Example:
  sidecar drain && sleep 10 && systemctl restart shop
`;

export const drainCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      undo: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const url = `${adminUrl(values.admin)}/${values.undo ? "undrain" : "drain"}`;
    return await withAnswer(host, { method: "POST", url }, ({ status, text }) => {
      if (status !== 200) {
        host.err(`sidecar: ${url} answered ${status}: ${text.trim()}\n`);
        return EXIT.unavailable;
      }
      host.out(values.undo ? "in the mesh again, while the app is well\n" : "out of the mesh\n");
      return EXIT.ok;
    });
  },
};
