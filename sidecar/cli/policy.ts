// `sidecar policy get|put|diff|history|rollback|status`: the policy that is pushed through etcd, and what instances make of it.
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { ACCESS_HELP } from "./policy/access.ts";
import { putPolicy, rollBack } from "./policy/put.ts";
import { diffPolicy, getPolicy, showHistory, showStatus } from "./policy/show.ts";

const HELP = `Usage: sidecar policy get      SERVICE [--revision N]
       sidecar policy put      SERVICE FILE|- [--message TEXT] [--yes] [--canary N% [--canary-for TIME]] [--wait TIME]
       sidecar policy diff     SERVICE FILE|- [--revision N]
       sidecar policy history  SERVICE
       sidecar policy rollback SERVICE [REVISION] [--message TEXT] [--yes] [--canary N%]
       sidecar policy status   [SERVICE]

get prints the document of a service. put checks a new one as every instance will, shows what changes, asks, writes it unless
somebody else has changed it meanwhile, and waits until every instance has said whether it took it. diff shows the changes
alone. history says who changed what, when and why; rollback puts an earlier document into force again, by default the one
before. status says which instance has which revision in force. SERVICE _default is the document beneath all others.

Options:
${ACCESS_HELP}  --revision N       an earlier document, as history has it
  --message TEXT     why, for the history
  --author NAME      who, for the history; default the variable USER
  --yes              do not ask
  --canary N%        put it into force at N% of the instances first; it is taken back where more requests fail than at the others
  --canary-for TIME  how long that lasts; default 30s
  --wait TIME        how long the instances may take to answer; default 10s
  --json             print one JSON document (get, history, status)
  -h, --help         print this

References such as \${NAME} are checked with the variables of this shell; each instance puts in its own.
Exit codes: 0 done, 1 diff found a difference, 65 a document that is refused, here or by an instance, 66 a file or document
that is not there, 69 etcd is away, or an instance did not answer, 75 somebody else was quicker.

Examples:
  sidecar policy put order-service order-policy.yaml --message "retry reads twice"
  sidecar policy put order-service order-policy.yaml --canary 10% --canary-for 2m
  sidecar policy rollback order-service
`;

type Action = (
  args: readonly string[],
  host: Parameters<Command["run"]>[1]["host"],
) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  get: getPolicy,
  put: putPolicy,
  diff: diffPolicy,
  history: showHistory,
  rollback: rollBack,
  status: showStatus,
};

export const policyCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const [action, ...rest] = args;
    const run = action !== undefined && Object.hasOwn(ACTIONS, action)
      ? ACTIONS[action]
      : undefined;
    if (run !== undefined) return await run(rest, host);
    const what = action === undefined
      ? "missing action"
      : `unknown action ${JSON.stringify(action)}`;
    throw new UsageError(`${what}, expected ${Object.keys(ACTIONS).join(", ")}`);
  },
};
