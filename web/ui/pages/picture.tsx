import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { LivePlayer, type LiveState } from "../live-player.ts";

/** The live picture of one stream of a camera, for as long as it is shown. */
export function Picture({ camera, stream }: { readonly camera: string; readonly stream: string }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<LiveState>({ at: "connecting" });
  useEffect(() => {
    if (video.current === null || canvas.current === null) return undefined;
    const on = { video: video.current, canvas: canvas.current };
    const player = new LivePlayer(on, camera, stream, setState);
    return () => player.close();
  }, [camera, stream]);
  return (
    <div class="picture" data-state={state.at}>
      <video ref={video} muted playsInline aria-label="Live picture" />
      <canvas ref={canvas} width={0} />
      {state.at === "playing" ? <span class="badge">LIVE</span> : null}
      {state.at === "connecting" ? <p>Waiting for the picture…</p> : null}
      {state.at === "stopped" ? <p>{state.why}</p> : null}
    </div>
  );
}
