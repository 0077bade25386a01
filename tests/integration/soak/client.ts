// The clients of the soak: each uploads and downloads one transfer, half of them in the other order, all at the same time.
// Prints one JSON line: what went wrong, bytes moved and seconds taken.
//   deno run --allow-net=127.0.0.1 client.ts PORT CLIENTS
import { Patterns, TRANSFER_BYTES } from "./pattern.ts";
import { fieldOf, TransferConnection } from "./transfer.ts";

const HOST = "soak-service";
const [port, clients] = Deno.args.map(Number);
const patterns = new Patterns();
const problems: string[] = [];

async function upload(transfer: TransferConnection, client: number): Promise<void> {
  await transfer.send(
    `PUT / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${TRANSFER_BYTES}\r\n\r\n`,
  );
  await transfer.sendPattern(patterns, client);
  const length = await readLength(transfer);
  expectChecksum("upload", client, Number(await transfer.readText(length)));
}

async function download(transfer: TransferConnection, client: number): Promise<void> {
  await transfer.send(`GET /${client} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  expectChecksum("download", client, await transfer.receive(await readLength(transfer)));
}

async function readLength(transfer: TransferConnection): Promise<number> {
  const head = await transfer.readHead();
  if (!head?.startsWith("HTTP/1.1 200 ")) throw new Error(`came ${head}`);
  return Number(fieldOf(head, "content-length"));
}

function expectChecksum(what: string, client: number, sum: number): void {
  if (sum !== patterns.checksum(client)) problems.push(`${what} ${client}: another checksum`);
}

async function run(client: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: port! });
  const transfer = new TransferConnection(connection);
  const steps = client % 2 === 0 ? [upload, download] : [download, upload];
  for (const step of steps) await step(transfer, client);
}

for (let client = 0; client < 16; client++) patterns.checksum(client);
const startedAt = performance.now();
await Promise.all(
  Array.from(
    { length: clients! },
    (_, client) =>
      run(client).catch((error: unknown) => problems.push(`client ${client}: ${error}`)),
  ),
);
const seconds = (performance.now() - startedAt) / 1000;
const bytes = 2 * clients! * TRANSFER_BYTES;
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ problems, bytes, seconds }) + "\n"),
);
