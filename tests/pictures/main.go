// Command pictures converts the screen of a terminal, as `tmux capture-pane -e -p` prints it, into an SVG picture.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"strconv"
	"strings"
)

// Sizes of a cell and of the margin, in units of the picture.
const (
	cellWidth  = 8.4
	cellHeight = 17
	margin     = 12
)

// style is the rendering of text. An empty color is the default one.
type style struct {
	bold, faint, reverse bool
	color                string
}

var colors = map[int]string{31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#56d4dd"}

const (
	ink   = "#d0d7de"
	paper = "#0d1117"
)

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func draw(from io.Reader, to io.Writer) error {
	var body strings.Builder
	var now style
	rows, columns, blank := 0, 0, 0
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			blank++
			continue
		}
		rows += blank + 1
		blank = 0
		var width int
		now, width = drawLine(&body, lines.Text(), now, margin+rows*cellHeight)
		columns = max(columns, width)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	width, height := float64(columns)*cellWidth+2*margin, rows*cellHeight+2*margin
	_, err := fmt.Fprintf(to, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d">
<rect width="100%%" height="100%%" rx="6" fill="%s"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="%s">
%s</g></svg>
`, width, height, width, height, paper, ink, body.String())
	return err
}

// drawLine draws one line at the height y and returns the style at its end and its number of cells.
func drawLine(to *strings.Builder, line string, now style, y int) (style, int) {
	column := 0
	for line != "" {
		at := strings.Index(line, "\x1b[")
		if at < 0 {
			at = len(line)
		}
		if at > 0 {
			column += now.text(to, line[:at], column, y)
			line = line[at:]
			continue
		}
		codes, rest, _ := strings.Cut(line[2:], "m")
		for code := range strings.SplitSeq(codes, ";") {
			now = now.after(code)
		}
		line = rest
	}
	return now, column
}

// after returns the style after an SGR code. It ignores unknown codes.
func (s style) after(code string) style {
	n, _ := strconv.Atoi(code) // an empty code is 0
	switch {
	case n == 0:
		return style{}
	case n == 1:
		s.bold = true
	case n == 2:
		s.faint = true
	case n == 7:
		s.reverse = true
	case n == 22:
		s.bold, s.faint = false, false
	case n == 27:
		s.reverse = false
	case n == 39:
		s.color = ""
	case colors[n] != "":
		s.color = colors[n]
	}
	return s
}

// text draws a piece of a line at a column and returns its number of cells. It sets position and width, because fonts
// differ in width.
func (s style) text(to *strings.Builder, text string, column, y int) int {
	cells := len([]rune(text))
	x, width := margin+float64(column)*cellWidth, float64(cells)*cellWidth
	fill := s.color
	if s.reverse {
		fmt.Fprintf(to, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`,
			x, y-cellHeight+4, width, cellHeight, ink)
		fill = paper
	}
	fmt.Fprintf(to, `<text x="%.1f" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs"`, x, y, width)
	if fill != "" {
		fmt.Fprintf(to, ` fill="%s"`, fill)
	}
	if s.bold {
		to.WriteString(` font-weight="bold"`)
	}
	if s.faint {
		to.WriteString(` opacity="0.6"`)
	}
	spaced := strings.ReplaceAll(text, " ", "\u00a0") // SVG collapses plain spaces
	fmt.Fprintf(to, ">%s</text>\n", html.EscapeString(spaced))
	return cells
}
