import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { timeWords } from "./instant-words.ts";
import type { Instant } from "./protocol.ts";
import { streamNear, streamWords } from "./streams.ts";
import type { Lane } from "./timeline-drawing.ts";
import { whyEmpty } from "./why-empty.ts";

/** What a camera recorded where somebody points, in small; or why there is nothing. */
export function Preview(props: {
  readonly lane: Lane;
  /** What is pointed at, and which picture stands for it: none where nothing is recorded. */
  readonly instant: Instant;
  readonly asked: Instant | undefined;
  /** From the left of the timeline, 0 to 1. */
  readonly place: number;
}): JSX.Element {
  const { lane, instant, asked, place } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const found = asked === undefined ? undefined : lane.thumbnails?.of(asked);
  const picture = found !== undefined && "picture" in found ? found.picture : undefined;
  useEffect(() => {
    if (canvas.current === null || picture === undefined) return;
    [canvas.current.width, canvas.current.height] = [picture.width, picture.height];
    canvas.current.getContext("2d")?.drawImage(picture, 0, 0);
  }, [picture]);
  const words = asked !== undefined ? wordsOf(found) : lane.known && whyEmpty(lane.known, instant);
  const stream = lane.known?.isNamed === true && asked !== undefined ? streamNear(lane.known.spans, asked) : undefined;
  const state = asked === undefined ? "empty" : picture === undefined ? "waiting" : "showing";
  return (
    <figure
      class="preview"
      data-state={state}
      data-instant={found !== undefined && "picture" in found ? found.at : ""}
      style={{ left: `clamp(0px, calc(${place * 100}% - 7.5rem), calc(100% - 15rem))` }}
    >
      {picture !== undefined ? <canvas ref={canvas} /> : <p class="words">{words}</p>}
      <figcaption>
        {lane.name}, {stream === undefined ? "" : `${streamWords(stream)}, `}
        {timeWords(found !== undefined && "picture" in found ? found.at : instant)}
      </figcaption>
    </figure>
  );
}

function wordsOf(found: ReturnType<NonNullable<Lane["thumbnails"]>["of"]>): string {
  if (found === undefined || "picture" in found) return "Reading the picture…";
  return found.why ?? "There is no picture of this.";
}
