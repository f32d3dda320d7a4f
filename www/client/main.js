/** Where the page comes together: sources on one side, the worker in the middle, views on the other side. */

import { AnswerView } from "./answer.js";
import { Benchmark } from "./benchmark.js";
import { Bridge } from "./bridge.js";
import { Classifier } from "./classifier.js";
import { element, fillTexts } from "./dom.js";
import { showFigure } from "./figure.js";
import { hasWasmSimd, hasWorkerCanvas } from "./features.js";
import { LayerTimesView } from "./layer-times.js";
import { modelAddress } from "./models.js";
import { Notice } from "./notice.js";
import { workOffline } from "./offline.js";
import { receiveFiles } from "./pictures.js";
import { showSamples } from "./samples.js";
import { Source } from "./source.js";
import { answer, library } from "./strings.js";
import { Teach } from "./teach.js";
import { Tools } from "./tools.js";

fillTexts();
const notice = new Notice();

if (!hasWasmSimd() || !hasWorkerCanvas()) {
  notice.show("library", library.noSimd);
  document.body.dataset.state = "unsupported";
} else {
  const bridge = new Bridge();
  const view = new AnswerView();
  const source = new Source(bridge, view, notice);
  const tools = new Tools(view, source, notice);
  const benchmark = new Benchmark(bridge, source);
  const layerTimes = new LayerTimesView(bridge, source);
  const teach = new Teach(bridge, source, view);
  const classifier = new Classifier(bridge, notice, (loaded, name, entry) => {
    tools.modelName = name;
    benchmark.model = { name, sha256: loaded.sha256 };
    benchmark.reset();
    layerTimes.reset(loaded);
    view.ready(loaded.labels, loaded.threshold);
    source.modelChanged();
    teach.modelChanged(loaded, name);
    workOffline(notice, entry && modelAddress(entry));
    void showFigure(loaded);
  });

  const openFiles = (/** @type {File[]} */ files) => {
    if (teach.takes(files)) teach.openFile(files[0]);
    else if (classifier.takes(files)) classifier.openFiles(files);
    else source.openPicture(files[0].name, Promise.resolve(files[0]));
  };
  receiveFiles(
    { button: element("choose", HTMLElement), input: element("picture-file", HTMLInputElement), dropArea: document.body },
    openFiles,
  );
  showSamples((name, fetched) => source.openPicture(name, fetched, answer.sampleMissing(name)));
  classifier.start();
  source.startIfAllowed();
}
