/** Files that the visitor gives: chosen, dropped or pasted. */

/**
 * Listens for files at all three doors.
 *
 * @param {{ button: HTMLElement, input: HTMLInputElement, dropArea: HTMLElement }} doors
 * @param {(files: File[]) => void} receive gets one file or more
 */
export function receiveFiles({ button, input, dropArea }, receive) {
  const all = (/** @type {FileList | undefined} */ files) => {
    if (files?.length) receive([...files]);
  };

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    all(input.files ?? undefined);
    // So that the same file can be chosen again.
    input.value = "";
  });

  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) event.preventDefault();
    all(event.clipboardData?.files);
  });

  // Enter and leave come for every element passed over: the count tells when the pointer really left.
  let depth = 0;
  const mark = () => dropArea.toggleAttribute("data-dropping", depth > 0);
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) depth++;
    mark();
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) depth = Math.max(0, depth - 1);
    mark();
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    // A part of the page may have taken them.
    const taken = event.defaultPrevented;
    // Else the browser leaves the page to show the file.
    event.preventDefault();
    depth = 0;
    mark();
    if (!taken) all(event.dataTransfer?.files);
  });
}

/**
 * The picture in a file, its colours as they are stored: the network was trained without colour profiles.
 *
 * @param {Blob} blob
 * @returns {Promise<ImageBitmap>} rejects where the browser cannot read it
 */
export function decodePicture(blob) {
  return createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}
