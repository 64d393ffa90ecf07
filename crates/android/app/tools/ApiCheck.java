import java.io.File;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger;

/** {@code ApiCheck SIGNATURE CLASSES}: prints what the classes call that the signature's API does not have. */
class ApiCheck {
    public static void main(String[] arguments) throws Exception {
        Path classes = Path.of(arguments[1]);
        Set<String> own = new HashSet<>(List.of("kotlin.*", "org.jetbrains.*", "com.google.zxing.*"));
        try (var files = Files.walk(classes)) {
            files.map(classes::relativize).map(Path::toString).filter(name -> name.endsWith(".class"))
                .forEach(name -> own.add(name.replace('/', '.').replaceAll("\\.class$", "")));
        }
        var checker = new SignatureChecker(new FileInputStream(arguments[0]), own, new PrintWriterLogger(System.out));
        checker.setSourcePath(List.of());
        checker.process(new File(arguments[1]));
    }
}
