// The app of the soak: PUT answers the checksum of what came, GET /CLIENT answers that client's transfer.
//   deno run --allow-net=127.0.0.1 app.ts PORT
import { Patterns, TRANSFER_BYTES } from "./pattern.ts";
import { fieldOf, TransferConnection } from "./transfer.ts";

const patterns = new Patterns();

async function serve(connection: Deno.Conn): Promise<void> {
  const transfer = new TransferConnection(connection);
  for (;;) {
    const head = await transfer.readHead();
    if (head === null) return;
    const [method, target = ""] = head.split(" ");
    if (method === "PUT") {
      const sum = await transfer.receive(Number(fieldOf(head, "content-length")));
      await transfer.send(answerHead(String(sum).length) + sum);
    } else if (target === "/health") await transfer.send(answerHead(0));
    else {
      await transfer.send(answerHead(TRANSFER_BYTES));
      await transfer.sendPattern(patterns, Number(target.slice(1)));
    }
  }
}

function answerHead(bytes: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`;
}

for await (const connection of Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) })) {
  serve(connection).catch(() => {}).finally(() => connection.close());
}
