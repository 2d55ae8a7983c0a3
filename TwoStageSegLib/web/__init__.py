"""The browser page: Slicer's own views and the session's panel, served to a web browser.

Two programs. The *front* (``front``, ``guard``, ``windows``, ``relay``, ``receive``, ``assets``) listens to browsers
and never touches an image. For every browser window it starts a *window process* (``window_process``), which holds one
scene, one session and one worker, and ends it when the window is closed. So no window can see another's patient, and
nothing that a window used outlives it.

Needs the extra ``web``; importing this package does not.
"""
