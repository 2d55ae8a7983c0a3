"""The review section: what the session's review shows in widgets, and what a person does with it. No behaviour here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from TwoStageSegLib.errors import TwoStageSegError
from TwoStageSegLib.review.findings import SliceFinding
from TwoStageSegLib.session import Change, Session
from TwoStageSegLib.session.results import save_report

from .profile_view import ProfileView
from .texts import figure_text, outdated_text, review_heading, review_line, sign_off_text, signed_text

_SLICE, _ORGAN, _WHY, _FIGURE, _SEEN = range(5)
_NUMBER = qt.Qt.AlignRight | qt.Qt.AlignVCenter


class ReviewBox:
    """Binds the widgets of the section to ``session.reviewing``."""

    def __init__(self, ui: Any, session: Session):
        self._ui, self._session = ui, session
        self._showing = False  # the table is being filled: a row that becomes the current one is nobody's choice
        self._organs: tuple[str, ...] = ()
        self.profile = ProfileView(ui.profileFrame, session)
        table = ui.reviewTable
        header = table.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.Fixed)
        header.setSectionResizeMode(_WHY, qt.QHeaderView.Stretch)
        table.verticalHeader().visible = False
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 6)
        ui.sliceText.minimumHeight = 2 * ui.sliceText.fontMetrics().height()  # so that nothing moves when it is filled
        table.connect("currentCellChanged(int,int,int,int)", self._row_chosen)
        table.connect("cellClicked(int,int)", self._row_chosen)
        ui.reviewOrganSelector.connect("activated(int)", self._organ_chosen)
        ui.referenceSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._reference_chosen)
        ui.nextButton.connect("clicked(bool)", lambda _on: self.next())
        ui.previousButton.connect("clicked(bool)", lambda _on: self.previous())
        ui.seenBox.connect("clicked(bool)", lambda on: session.reviewing.mark_seen(seen=on))
        ui.signOffButton.connect("clicked(bool)", lambda _on: self._sign_off())
        ui.reportButton.connect("clicked(bool)", lambda _on: self._save_report())

    def next(self) -> None:
        self._session.reviewing.next()

    def previous(self) -> None:
        self._session.reviewing.previous()

    def toggle_seen(self) -> None:
        """The keyboard's way to the box."""
        reviewing = self._session.reviewing
        if reviewing.current is not None:
            reviewing.mark_seen(seen=not reviewing.is_seen(reviewing.current))

    def changed(self, change: Change) -> None:
        """Draw what the session says has changed."""
        if change is Change.REVIEW:
            self._fill_organs()
            self._fill_table()
            self.profile.refresh()
        if change is Change.REVIEW or change is Change.SLICE:
            self._refresh_slice()
        self._refresh_sign_off()
        self._ui.reportButton.enabled = bool(self._session.reviewing.organs) and not self._session.busy

    def close(self) -> None:
        self.profile.close()

    # what a person does

    def _row_chosen(self, row: int) -> None:
        findings = self._session.reviewing.findings
        if not self._showing and 0 <= row < len(findings):
            self._session.reviewing.jump(findings[row])

    def _organ_chosen(self, index: int) -> None:
        self._session.reviewing.choose("" if index < 1 else self._organs[index - 1])

    def _reference_chosen(self, node: Any) -> None:
        self._session.reviewing.compare_with(node)

    def _sign_off(self) -> None:
        self._session.reviewing.sign_off(self._session.reviewing.shown_organ)

    def _save_report(self) -> None:
        name = qt.QFileDialog.getSaveFileName(None, _("Save the report"), "report.html", _("Web page (*.html)"))
        name = name[0] if isinstance(name, tuple) else name
        if not name:
            return
        try:
            with slicer.util.WaitCursor():
                save_report(self._session, Path(name))
        except TwoStageSegError as error:
            slicer.util.errorDisplay(str(error), windowTitle=_("Save the report"))

    # what the session says

    def _fill_organs(self) -> None:
        reviewing, selector = self._session.reviewing, self._ui.reviewOrganSelector
        self._organs = reviewing.organs
        texts = [_("All organs"), *(f"{o} ({reviewing.counts(o).flagged})" for o in self._organs)]
        if [selector.itemText(i) for i in range(selector.count)] != texts:
            selector.clear()
            selector.addItems(texts)
        chosen = reviewing.organ
        selector.setCurrentIndex(self._organs.index(chosen) + 1 if chosen else 0)
        if self._ui.referenceSelector.currentNode() is not reviewing.reference:
            self._ui.referenceSelector.setCurrentNode(reviewing.reference)

    def _fill_table(self) -> None:
        reviewing, table = self._session.reviewing, self._ui.reviewTable
        findings = reviewing.findings
        compared = reviewing.reference is not None
        self._showing = True
        table.rowCount = len(findings)
        table.setColumnHidden(_ORGAN, bool(reviewing.organ))  # it stands above; "why" has more room
        for row, finding in enumerate(findings):
            self._fill_row(row, finding, compared)
        table.horizontalHeaderItem(_FIGURE).setText(_("Dice") if compared else _("Risk"))
        width = table.fontMetrics().boundingRect
        names = max((width(o).width() for o in self._organs), default=width("Brainstem").width())
        figure = _("risk {figure}").format(figure="0.00") if compared else _("Risk")
        for column, pixels in (
            (_SLICE, max(width("0000").width(), width(_("Slice")).width())),
            (_ORGAN, names),
            (_FIGURE, max(width("0.00").width(), width(figure).width())),
            (_SEEN, max(width(_("seen")).width(), width(_("Seen")).width())),
        ):
            table.setColumnWidth(column, pixels + 14)
        self._showing = False

    def _fill_row(self, row: int, finding: SliceFinding, compared: bool) -> None:
        texts = (str(finding.number), finding.organ, finding.text, figure_text(finding, compared), self._seen(finding))
        table = self._ui.reviewTable
        for column, text in enumerate(texts):
            item = table.item(row, column)
            if item is None:
                item = qt.QTableWidgetItem()
                table.setItem(row, column, item)
                if column in (_SLICE, _FIGURE):
                    item.setTextAlignment(_NUMBER)
            item.setText(text)
            item.setToolTip(text)

    def _refresh_slice(self) -> None:
        reviewing, ui = self._session.reviewing, self._ui
        current, position = reviewing.current, reviewing.position
        self._showing = True
        if position is None:
            ui.reviewTable.clearSelection()
        else:
            ui.reviewTable.selectRow(position)
            ui.reviewTable.item(position, _SEEN).setText(self._seen(reviewing.findings[position]))
        self._showing = False
        ui.reviewHeading.text = review_heading(reviewing.counts(reviewing.organ))
        ui.nextButton.enabled = reviewing.has_next
        ui.previousButton.enabled = reviewing.has_previous
        ui.seenBox.enabled = current is not None
        ui.seenBox.checked = current is not None and reviewing.is_seen(current)
        ui.sliceText.text = "" if current is None else review_line(current)
        ui.reviewMessage.text = reviewing.message
        ui.reviewMessage.visible = bool(reviewing.message)

    def _refresh_sign_off(self) -> None:
        reviewing, ui = self._session.reviewing, self._ui
        organ = reviewing.shown_organ
        ui.signOffButton.text = sign_off_text(organ, reviewing.counts(organ)) if organ else _("Sign off")
        ui.signOffButton.enabled = bool(organ) and reviewing.can_sign_off(organ)
        texts = [signed_text(reviewing.signed(organ)) if organ else "", outdated_text(reviewing.outdated)]
        ui.signedText.text = "\n".join(filter(None, texts))
        ui.signedText.visible = bool(ui.signedText.text)

    def _seen(self, finding: SliceFinding) -> str:
        return _("seen") if self._session.reviewing.is_seen(finding) else ""
