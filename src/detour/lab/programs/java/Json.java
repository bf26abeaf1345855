import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON (RFC 8259) for programs whose language has none: objects as maps, arrays as lists, numbers as doubles. */
final class Json {
    private final String text;
    private int at = 0;

    Json(String text) {
        this.text = text;
    }

    /** The next value. */
    Object value() {
        char first = next();
        at--;
        return switch (first) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object() {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        if (next() == '}') {
            return found;
        }
        at--;
        do {
            next();
            at--;
            String name = string();
            next(); // the colon
            found.put(name, value());
        } while (next() == ',');
        return found;
    }

    private List<Object> array() {
        List<Object> found = new ArrayList<>();
        at++;
        if (next() == ']') {
            return found;
        }
        at--;
        do {
            found.add(value());
        } while (next() == ',');
        return found;
    }

    private String string() {
        StringBuilder found = new StringBuilder();
        at++;
        for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
            found.append(c == '\\' ? escaped() : c);
        }
        return found.toString();
    }

    private char escaped() {
        char c = text.charAt(at++);
        switch (c) {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default: return c;
        }
    }

    private Double number() {
        int begin = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return Double.valueOf(text.substring(begin, at));
    }

    private Object word(String word, Object value) {
        at += word.length();
        return value;
    }

    /** The next character that is no white space; `at` is behind it. */
    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at++);
    }

    /** A string as JSON. */
    static String text(String plain) {
        StringBuilder written = new StringBuilder("\"");
        for (char c : plain.toCharArray()) {
            if (c < ' ' || c == '"' || c == '\\' || c > '~') {
                written.append(String.format("\\u%04x", (int) c));
            } else {
                written.append(c);
            }
        }
        return written.append('"').toString();
    }
}
