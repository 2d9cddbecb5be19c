import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { usernameTokenHeader } from "../auth/scheme/usernametoken.ts";
import { systemClock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import { printEnvelope } from "../wsdl/envelope.ts";
import { NAMESPACES } from "../wsdl/namespaces.ts";
import { cell, table } from "./figures.ts";
import { own } from "./servers.ts";
import { pause, usageOf } from "./usage.ts";

// What ONVIF requests cost: CPU of the serving process for each, beside npm's soap and an HTTP server that does nothing, in the same run; the memory of pull points whose
// clients wait; and how long the tables of operations take to load.

const { values } = parseArgs({
  options: {
    cameras: { type: "string", default: "64" },
    requests: { type: "string", default: "2000" },
    "pull-points": { type: "string", default: "1000" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures ONVIF requests, beside npm's soap, waiting pull points, and the loading of the tables.

  node bench/onvif.ts [--cameras 64] [--requests 2000] [--pull-points 1000] [--json]

Ours checks a UsernameToken and the rights of each request; npm's soap does neither. It answers a tenth of the requests. "Node.js alone" is
its HTTP server, which reads GetStreamUri without looking at it.
`);
  process.exit(0);
}

interface Login {
  readonly name: string;
  readonly secret: string;
}

/** At one time, on connections that stay. */
const CLIENTS = 8;
/** Code that has run often is another one: so many go before those that are counted. */
const WARM_UP = 3;
/** Characters that GetStreamUri is answered with. */
const SHORT_ANSWER = 700;
/** Of one account, and of one address: half of all connections is the most that it may have. */
const [OF_ACCOUNT, OF_ADDRESS] = [100, 500];

const cameras = Number(values.cameras);
const points = Number(values["pull-points"]);

async function post(o: {
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly agent: Agent | false;
  readonly from?: string;
}): Promise<string> {
  const { port, path, body, agent, from } = o;
  const headers = { "Content-Type": "application/soap+xml; charset=utf-8", "Content-Length": Buffer.byteLength(body) };
  const local = from === undefined ? {} : { localAddress: from };
  const sent = request({ host: "127.0.0.1", port, path, method: "POST", headers, agent, ...local });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  if (response.statusCode !== 200) throw new Error(`${path} answers ${response.statusCode}: ${text.slice(0, 300)}`);
  return text;
}

function asked(login: Login | undefined, body: string): string {
  const credentials = login && { user: login.name, password: new Secret(login.secret) };
  const header = credentials === undefined ? "" : usernameTokenHeader(credentials, systemClock.now());
  const { trt, tev, tt } = NAMESPACES;
  return printEnvelope({ header, body, namespaces: { trt, tev, tt } });
}

const PROFILES = "<trt:GetProfiles/>";
const STREAM_URI =
  "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>" +
  "<trt:ProfileToken>camera-1</trt:ProfileToken>";
const OPERATIONS = {
  [`GetProfiles of ${cameras}`]: PROFILES,
  GetStreamUri: `<trt:GetStreamUri>${STREAM_URI}</trt:GetStreamUri>`,
};

/** CPU microseconds of the process for each request. */
async function cost(
  server: { readonly port: number; readonly path: string; readonly pid: number; readonly login: Login | undefined },
  body: string,
  requests: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const run = async (count: number): Promise<void> => {
    let left = count;
    const client = async (): Promise<void> => {
      while (left-- > 0) await post({ ...server, agent, body: asked(server.login, body) });
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  };
  await run(Math.ceil(requests * WARM_UP));
  const before = usageOf(server.pid).cpuSeconds;
  await run(requests);
  const used = usageOf(server.pid).cpuSeconds - before;
  agent.destroy();
  return (used / requests) * 1e6;
}

/** Kilobytes of the process for each pull point whose client waits, with its connection; what came before may have left memory that is used for them. */
async function waiting(port: number, pid: number, logins: readonly Login[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const before = usageOf(pid).megabytes;
  const addresses: { readonly path: string; readonly login: Login }[] = [];
  for (let count = 0; count < points; count += 1) {
    const login = logins[Math.floor(count / OF_ACCOUNT)] as Login;
    const made = await post({
      port,
      path: "/onvif/event_service",
      agent,
      body: asked(login, "<tev:CreatePullPointSubscription/>"),
    });
    const path = new URL(/Address>([^<]*)</.exec(made)?.[1] ?? "").pathname;
    const pull =
      "<tev:PullMessages><tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit></tev:PullMessages>";
    await post({ port, path, agent, body: asked(login, pull) });
    addresses.push({ path, login });
  }
  agent.destroy();
  const pull =
    "<tev:PullMessages><tev:Timeout>PT4M</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit></tev:PullMessages>";
  const failures: unknown[] = [];
  for (const [index, { path, login }] of addresses.entries()) {
    const from = `127.0.0.${2 + Math.floor(index / OF_ADDRESS)}`;
    post({ port, path, agent: false, from, body: asked(login, pull) }).catch((error: unknown) => failures.push(error));
    if (index % 50 === 0) await pause(20);
  }
  await pause(3000);
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return ((usageOf(pid).megabytes - before) * 1024) / points;
}

/** Milliseconds until a new process has loaded the files, beyond those that it takes to start, with what was compiled kept as bin/viaduct keeps it. */
function loading(files: readonly string[]): number {
  const cache = mkdtempSync(join(tmpdir(), "viaduct-bench-"));
  const script = `const from = performance.now(); for (const file of ${JSON.stringify(files)}) await import(file); console.log(performance.now() - from);`;
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const took = Array.from({ length: 5 }, () =>
    Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", env })),
  );
  rmSync(cache, { recursive: true });
  return Math.min(...took);
}

const root = join(import.meta.dirname, "..");
const TABLES = readdirSync(join(root, "wsdl/tables")).map((file) => join(root, "wsdl/tables", file));
const SERVICES = [join(root, "bridge/client-side/onvif/services.ts")];

const ours = await own<{ readonly port: number; readonly logins: readonly Login[] }>("onvif-server.ts", [
  "viaduct",
  String(cameras),
  String(Math.ceil(points / OF_ACCOUNT) || 1),
]);
const theirs = await own("onvif-server.ts", ["soap"]);
const [login] = ours.logins;
const answer = await post({
  port: ours.port,
  path: "/onvif/media_service",
  agent: false,
  body: asked(login, PROFILES),
});
/** Gives a server what it answers with. */
async function told(process: ChildProcess, text: string): Promise<number> {
  process.send(text);
  return ((await once(process, "message")) as [{ readonly port: number }])[0].port;
}
const soapPort = await told(theirs.process, answer);
const plain = await own("onvif-server.ts", ["http"]);
const plainPort = await told(plain.process, "-".repeat(SHORT_ANSWER));
const servers = [
  { name: "Viaduct", port: ours.port, path: "/onvif/media_service", pid: ours.process.pid ?? 0, login, share: 1 },
  { name: "npm soap", port: soapPort, path: "/media", pid: theirs.process.pid ?? 0, login: undefined, share: 0.1 },
];
const alone = { port: plainPort, path: "/", pid: plain.process.pid ?? 0, login };
const rows: { readonly server: string; readonly operation: string; readonly microseconds: number }[] = [];
for (const [operation, body] of Object.entries(OPERATIONS))
  for (const server of servers) {
    const requests = Math.ceil(Number(values.requests) * server.share);
    rows.push({ server: server.name, operation, microseconds: await cost(server, body, requests) });
  }
const any = { server: "Node.js alone", operation: "any, short" };
rows.push({ ...any, microseconds: await cost(alone, OPERATIONS.GetStreamUri, Number(values.requests)) });
const kilobytesEach = await waiting(ours.port, ours.process.pid ?? 0, ours.logins);
const tablesMs = loading(TABLES);
const servicesMs = loading(SERVICES);
for (const one of [ours, theirs, plain]) {
  one.process.kill();
  await once(one.process, "exit");
}

const machine = { cpu: cpus()[0]?.model ?? "", cores: cpus().length, load: loadavg()[0] ?? 0, node: process.version };
const answerKilobytes = Buffer.byteLength(answer) / 1024;
if (values.json === true)
  process.stdout.write(
    `${JSON.stringify({ machine, rows, answerKilobytes, pullPoints: points, kilobytesEach, tablesMs, servicesMs })}\n`,
  );
else {
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, load ${cell(machine.load, 1)}, Node.js ${machine.node}\n\n`,
  );
  process.stdout.write(
    table([
      ["operation", "server", "CPU us each"],
      ...rows.map((row) => [row.operation, row.server, cell(row.microseconds, 0)]),
    ]),
  );
  process.stdout.write(
    `\nGetProfiles is ${cell(answerKilobytes, 0)} KiB. ${points} waiting pull points: ${cell(kilobytesEach, 1)} KiB each.\n`,
  );
  process.stdout.write(
    `Tables are loaded in ${cell(tablesMs, 0)} ms, the code of all services, with them and all that it needs, in ${cell(servicesMs, 0)} ms.\n`,
  );
}
