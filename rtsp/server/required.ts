import { type Headers, headerValues } from "../wire/message.ts";
import { BACK_CHANNEL, ONVIF_REPLAY } from "../wire/option-tags.ts";
import type { Presentation } from "./host.ts";
import { unsupported } from "./reply.ts";

const KNOWN: ReadonlySet<string> = new Set([BACK_CHANNEL, ONVIF_REPLAY]);

/** What a client must be able to rely on (RFC 2326 12.32). */
export interface Required {
  readonly replay: boolean;
  readonly talk: boolean;
}

/** Reads `Require`. Fault 551 for what is not known here at all. */
export function requiredBy(request: { readonly headers: Headers }): Required {
  const tags = headerValues(request, "Require").flatMap((value) => value.split(",").map((tag) => tag.trim()));
  const unknown = tags.filter((tag) => !KNOWN.has(tag));
  if (unknown.length > 0) throw unsupported(unknown.join(", "));
  return { replay: tags.includes(ONVIF_REPLAY), talk: tags.includes(BACK_CHANNEL) };
}

/** Fault 551: nothing live is replayed, and nobody talks to a recording. */
export function assertHas(kind: Presentation["kind"], { replay, talk }: Required): void {
  if (kind === "live" && replay) throw unsupported(ONVIF_REPLAY);
  if (kind === "recorded" && talk) throw unsupported(BACK_CHANNEL);
}
