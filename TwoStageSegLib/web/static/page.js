// What the page does by itself: files up and down, keys, and saying goodbye. Everything else is the session's.
window.twostageseg = (() => {
  "use strict";
  const here = window.location.pathname.replace(/[^/]*$/, "");
  const problem = (text) => {
    const place = document.getElementById("upload-problem");
    place.textContent = text;
    place.hidden = !text;
  };
  const share = (text) => { document.getElementById("upload-share").textContent = text; };

  function send(file) {
    problem("");
    const request = new XMLHttpRequest();
    request.open("POST", here + "upload?name=" + encodeURIComponent(file.name));
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) share(" sending, " + Math.round(100 * event.loaded / event.total) + " %");
    };
    request.onload = () => {
      share("");
      if (request.status !== 202) problem(request.responseText.slice(0, 400) || "The file was refused.");
    };
    request.onerror = () => {
      share("");
      problem("The file did not arrive. Is it too large, or has the connection broken?");
    };
    request.send(file);
  }

  function chooseFile() {
    const input = document.createElement("input");
    input.type = "file";
    input.id = "file";
    input.accept = ".nrrd,.nii,.gz,.mha,.zip";
    input.onchange = () => { if (input.files.length) send(input.files[0]); };
    input.click();
  }

  function copyLog() {
    const text = document.getElementById("log").textContent;
    if (navigator.clipboard) navigator.clipboard.writeText(text);
    else window.getSelection().selectAllChildren(document.getElementById("log"));
  }

  // a file that the session has made is fetched once
  let fetched = 0;
  new MutationObserver(() => {
    const offered = document.getElementById("offered");
    const number = Number(offered?.dataset.number || 0);
    if (!number || number === fetched) return;
    fetched = number;
    const link = document.createElement("a");
    link.href = here + "download/" + offered.dataset.file;
    link.download = offered.dataset.name;
    link.click();
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-number"] });

  const plain = (e) => !e.ctrlKey && !e.altKey && !e.metaKey && !/^(SELECT|TEXTAREA)$/.test(e.target.tagName)
    && !(e.target.tagName === "INPUT" && e.target.type !== "checkbox" && e.target.type !== "range");
  const keys = [
    [(e) => e.ctrlKey && e.key === "Enter", ["run"]],
    [(e) => e.ctrlKey && e.key.toLowerCase() === "z", ["undo"]],
    [(e) => e.altKey && e.key === "ArrowDown", ["step", 1]],
    [(e) => e.altKey && e.key === "ArrowUp", ["step", -1]],
    [(e) => e.altKey && e.key.toLowerCase() === "c", ["click_chosen"]],
    [(e) => (e.altKey && e.key === "ArrowRight") || (plain(e) && e.key === "n"), ["next"]],
    [(e) => (e.altKey && e.key === "ArrowLeft") || (plain(e) && e.key === "p"), ["previous"]],
    [(e) => (e.altKey && e.key.toLowerCase() === "s") || (plain(e) && e.key === "s"), ["toggle_seen"]],
  ];
  document.addEventListener("keydown", (event) => {
    const known = keys.find(([fits]) => fits(event));
    if (!known || !window.trame) return;
    event.preventDefault();
    window.trame.trigger("act", known[1]);
  }, true);

  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      if (name === "drop" && event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
    });
  }
  // a page whose process has gone looks alive and does nothing: it has to say so
  async function look() {
    let text = "";
    try {
      const answer = await fetch(here + "alive");
      if (!answer.ok) text = await answer.text();
    } catch {
      text = "The connection is lost. What is in this window is kept for a while: reload the page.";
    }
    document.getElementById("lost").hidden = !text;
    document.getElementById("lost-text").textContent = text;
  }
  window.setInterval(look, 4000);

  window.addEventListener("pagehide", () => navigator.sendBeacon(here + "bye"));
  return { chooseFile, copyLog, send, keys };
})();
