import type { X509Certificate } from "node:crypto";
import { Readable } from "node:stream";
import { Router } from "@koa/router";
import { z } from "zod";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { HOUR, isoOf, unixMillis } from "../../base/units.ts";
import { MAIN_STREAM } from "../../bridge/camera.ts";
import { recordedSignatures, type SignatureProgress } from "../../bridge/client-side/recorded-signatures.ts";
import { streamOf, type Watch } from "../../bridge/client-side/watch.ts";
import { peerOf } from "../../net/http.ts";
import type { Archive } from "../../recorder/archive.ts";
import { parsed } from "../query.ts";
import { caller, doorOf, type WebState } from "../state.ts";

const LIMITS = {
  /** Of one question: some gigabytes to read. */
  rangeMs: 4 * HOUR,
  /** Threads that compare at a time, for everybody. */
  atOnce: 2,
  /** How often it is told how far it is, in parts of the range. */
  steps: 200,
  /** Stretches that are told one by one: a film that was made for it has a verdict of its own for each second. */
  findings: 1000,
};

const instant = z.iso.datetime({ offset: true }).transform((text) => unixMillis(Date.parse(text)));
const question = z
  .object({ from: instant, to: instant, stream: z.string().max(64).default(MAIN_STREAM) })
  .refine(({ from, to }) => from < to && to - from <= LIMITS.rangeMs, {
    path: ["to"],
    message: `must be after from, by ${LIMITS.rangeMs / HOUR} hours at most`,
  });

/** What cameras signed of their recordings, compared when it is asked for: lines of JSON, how far it is, and last what came of it. */
export function signatureRoutes(o: {
  readonly watch: Watch;
  readonly archive: Pick<Archive, "place">;
  /** Authorities of cameras, or cameras; absent: anybody. */
  readonly cameraMakers?: readonly X509Certificate[] | undefined;
  readonly log: Log;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });
  let running = 0;

  router.get("/:id/camera-signatures", (ctx) => {
    const who = caller(ctx);
    const door = doorOf(ctx);
    const { address } = peerOf(ctx.req.socket);
    const { id = "" } = ctx["params"] as { id?: string };
    const camera = o.watch.open(who, id, "playback", door, address);
    if (ctx.method !== "GET") throw new Fault("invalid", ctx.method, { tell: "Only GET here." });
    const { from: asked, to, stream } = parsed(question, ctx.query);
    streamOf(camera, stream);
    if (running >= LIMITS.atOnce)
      throw new Fault("busy", "signatures are compared", {
        tell: "The bridge compares other recordings at the moment. Try again in a while.",
      });
    const lease = o.watch.run(who, camera, ["playback"], door, address);
    const oldest = (): number => who.now() - lease.maxAgeMs;
    const from = unixMillis(Math.min(to, Math.max(asked, oldest())));
    const stopping = new AbortController();
    running += 1;
    let isRunning = true;
    const release = (): void => {
      if (isRunning) running -= 1;
      isRunning = false;
    };
    const signal = AbortSignal.any([lease.ended, stopping.signal]);
    const sent = { bytes: 0, from, to };
    const progress = recordedSignatures(
      o.archive.place,
      { camera: id, stream, from, to },
      { trusted: o.cameraMakers, oldest, signal },
    );
    const lines = async function* (): AsyncGenerator<string> {
      let told: number = from;
      try {
        for await (const one of progress) {
          if (one.type === "at") sent.bytes += one.bytes;
          // A page that does not read what came of it must not keep others from asking.
          else release();
          if (one.type === "at" && one.at - told < (to - from) / LIMITS.steps) continue;
          if (one.type === "at") told = one.at;
          yield `${JSON.stringify(shown(one, o.cameraMakers !== undefined))}\n`;
        }
      } catch (error) {
        if (!signal.aborted) o.log.error({ err: asFault(error) }, "cameras' signatures were not compared");
        const why = signal.aborted ? "It was ended: the right to it, or the camera, is gone." : TROUBLE;
        yield `${JSON.stringify({ type: "failed", why })}\n`;
      }
    };
    const body = Readable.from(lines());
    // However it ends: told to its end, or broken off.
    body.once("close", () => {
      release();
      stopping.abort();
      lease.close(sent);
    });
    ctx.type = "application/x-ndjson";
    ctx.body = body;
  });
  return router;
}

const TROUBLE = "The recording cannot be compared at the moment. The log of the bridge says more.";

function shown(one: SignatureProgress, isAsked: boolean): object {
  if (one.type === "at") return { type: "at", at: isoOf(one.at) };
  const { stretch, report, missing } = one;
  const findings = report?.findings ?? [];
  return {
    type: "compared",
    compared: stretch === undefined ? null : { from: isoOf(stretch.from), to: isoOf(stretch.to) },
    isAsked,
    schemes: report?.schemes ?? [],
    findings: findings
      .slice(0, LIMITS.findings)
      .map(({ verdict, why, ...span }) => ({ ...spanOf(span), verdict, why })),
    more: Math.max(0, findings.length - LIMITS.findings),
    signers: report?.signers ?? [],
    missing: missing.map(({ reason, ...span }) => ({ ...spanOf(span), reason })),
  };
}

function spanOf({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }): object {
  return { from: isoOf(unixMillis(Math.floor(fromUs / 1000))), to: isoOf(unixMillis(Math.floor(toUs / 1000))) };
}
