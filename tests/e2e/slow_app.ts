// An app for the tests of supervision: it is well when told to be, and takes as long for a request as the test wants.
//   deno run --allow-net=127.0.0.1 slow_app.ts PORT OUTBOUND_PORT [--deaf]
//
// POST /healthy      from now on GET /health answers 200
// GET /held          answers after POST /release
// POST /end          ends with exit code 7, as SIGTERM does; with --deaf SIGTERM does nothing
const [port, outbound, deaf] = Deno.args;
const EXIT_CODE = 7;

const release = Promise.withResolvers<void>();
let isHealthy = false;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`app: ${line}\n`));
}

async function proxyAccepts(): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port: Number(outbound) })).close();
    return true;
  } catch {
    return false;
  }
}

async function answer(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case "/healthy":
      isHealthy = true;
      return new Response("ok");
    case "/health":
      return new Response(null, { status: isHealthy ? 200 : 503 });
    case "/held":
      say("a request arrived");
      await release.promise;
      say("the request is answered");
      return new Response("held and answered");
    case "/release":
      release.resolve();
      return new Response("ok");
    case "/end":
      return Deno.exit(EXIT_CODE);
    default:
      return new Response("ok");
  }
}

Deno.addSignalListener("SIGTERM", () => {
  say("asked to end");
  if (deaf === undefined) Deno.exit(EXIT_CODE);
});

say(await proxyAccepts() ? "the proxy accepts" : "no proxy");
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, answer);
