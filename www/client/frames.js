/** The frames of a video, one at a time: while one is being classified the others pass, and the newest comes next. */

/**
 * Hands frames over until the signal says stop.
 *
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 * @param {(frame: ImageBitmap) => Promise<void>} use is never called before its last call has ended
 */
export function eachFrame(video, signal, use) {
  let busy = false;
  // Firefox had no callback for frames before version 132 (2024): there, every repaint asks.
  const next = (/** @type {() => void} */ then) =>
    video.requestVideoFrameCallback ? video.requestVideoFrameCallback(then) : requestAnimationFrame(then);

  const look = async () => {
    if (signal.aborted) return;
    next(look);
    if (busy || video.paused || video.videoWidth === 0) return;
    busy = true;
    try {
      const frame = await createImageBitmap(video, { colorSpaceConversion: "none" });
      if (signal.aborted) frame.close();
      else await use(frame);
    } catch {
      // The video ended between two lines, or the answer was cancelled: the next frame tries again.
    } finally {
      busy = false;
    }
  };
  next(look);
}
