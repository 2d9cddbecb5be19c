import { systemClock } from "../base/clock.ts";
import { loadIdentity } from "../net/tls.ts";
import { benchServer, pulled } from "./bench-server.ts";

// The bridge's own way from a camera to its readers, with nothing else in the process: what one stream to many costs.

const [camera = "", folder = ""] = process.argv.slice(2);
const hub = pulled(camera);
const server = benchServer(() => ({ kind: "live", source: hub }));
await hub.ready(20_000);
const { port } = await server.listen({ address: "127.0.0.1", port: 0 });
const identity = await loadIdentity(folder, [], systemClock);
const { port: tlsPort } = await server.listen({ address: "127.0.0.1", port: 0, identity });
process.send?.({ port, tlsPort });
process.on("disconnect", () => process.exit(0));
