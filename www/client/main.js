/** Where the page comes together: sources on one side, the worker in the middle, views on the other side. */

import { Bridge } from "./bridge.js";
import { Classifier } from "./classifier.js";
import { element, fillTexts } from "./dom.js";
import { showFigure } from "./figure.js";
import { hasWasmSimd, hasWorkerCanvas } from "./features.js";
import { Notice } from "./notice.js";
import { receiveFiles } from "./pictures.js";
import { showSamples } from "./samples.js";
import { Source } from "./source.js";
import { answer, library } from "./strings.js";
import { AnswerView } from "./answer.js";

fillTexts();
const notice = new Notice();

if (!hasWasmSimd() || !hasWorkerCanvas()) {
  notice.show("library", library.noSimd);
  document.body.dataset.state = "unsupported";
} else {
  const bridge = new Bridge();
  const view = new AnswerView();
  const source = new Source(bridge, view, notice);
  const classifier = new Classifier(bridge, notice, (loaded) => {
    view.ready(loaded.card.labels);
    source.modelChanged();
    void showFigure(loaded);
  });

  const openFile = (/** @type {File} */ file) =>
    /\.onnx$/i.test(file.name) ? classifier.openFile(file) : source.openPicture(file.name, Promise.resolve(file));
  receiveFiles(
    { button: element("choose", HTMLElement), input: element("picture-file", HTMLInputElement), dropArea: document.body },
    openFile,
  );
  showSamples((name, fetched) => source.openPicture(name, fetched, answer.sampleMissing(name)));
  classifier.start();
  source.startIfAllowed();
}
